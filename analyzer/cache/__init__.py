"""What earlier runs found out: rows of JSON by the digest of everything they depend on. Knows nothing of C."""

from analyzer.cache.codec import Codec, CodecError, codec
from analyzer.cache.contents import Contents
from analyzer.cache.digest import digest
from analyzer.cache.place import default_folder
from analyzer.cache.relocation import Relocation
from analyzer.cache.store import Store, StoreOptions
from analyzer.cache.version import fingerprint, version

__all__ = [
    "Codec",
    "CodecError",
    "Contents",
    "Relocation",
    "Store",
    "StoreOptions",
    "codec",
    "default_folder",
    "digest",
    "fingerprint",
    "version",
]
