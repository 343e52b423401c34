"""First versions of rule files, made from what is known elsewhere, for a person to complete."""
