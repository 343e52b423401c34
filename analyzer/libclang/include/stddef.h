/* The compiler's own header: types of sizes and differences.
 *
 * libc headers ask for single types: they define __need_X and include this file, several times in one unit.
 * Each part therefore has a guard of its own, and a request with __need_X gives nothing but X.
 */
#if !defined(__need_ptrdiff_t) && !defined(__need_size_t) && !defined(__need_rsize_t) && \
    !defined(__need_wchar_t) && !defined(__need_NULL) && !defined(__need_nullptr_t) &&    \
    !defined(__need_max_align_t) && !defined(__need_offsetof) && !defined(__need_wint_t) && \
    !defined(__need_unreachable)
#define __need_ptrdiff_t
#define __need_size_t
#define __need_wchar_t
#define __need_NULL
#define __need_max_align_t
#define __need_offsetof
#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202000L
#define __need_nullptr_t
#define __need_unreachable
#endif
#endif

#ifdef __need_ptrdiff_t
#ifndef __mf_ptrdiff_t
#define __mf_ptrdiff_t
typedef __PTRDIFF_TYPE__ ptrdiff_t;
#endif
#undef __need_ptrdiff_t
#endif

#ifdef __need_size_t
#ifndef __mf_size_t
#define __mf_size_t
typedef __SIZE_TYPE__ size_t;
#endif
#undef __need_size_t
#endif

#ifdef __need_rsize_t
#ifndef __mf_rsize_t
#define __mf_rsize_t
typedef __SIZE_TYPE__ rsize_t;
#endif
#undef __need_rsize_t
#endif

#ifdef __need_wchar_t
#if !defined(__mf_wchar_t) && !defined(__cplusplus)
#define __mf_wchar_t
typedef __WCHAR_TYPE__ wchar_t;
#endif
#undef __need_wchar_t
#endif

#ifdef __need_wint_t
#ifndef __mf_wint_t
#define __mf_wint_t
typedef __WINT_TYPE__ wint_t;
#endif
#undef __need_wint_t
#endif

#ifdef __need_NULL
#undef NULL
#define NULL ((void *)0)
#undef __need_NULL
#endif

#ifdef __need_nullptr_t
#ifndef __mf_nullptr_t
#define __mf_nullptr_t
typedef typeof(nullptr) nullptr_t;
#endif
#undef __need_nullptr_t
#endif

#ifdef __need_unreachable
#undef unreachable
#define unreachable() __builtin_unreachable()
#undef __need_unreachable
#endif

#ifdef __need_max_align_t
#ifndef __mf_max_align_t
#define __mf_max_align_t
typedef struct {
  long long __mf_integer __attribute__((__aligned__(__alignof__(long long))));
  long double __mf_floating __attribute__((__aligned__(__alignof__(long double))));
} max_align_t;
#endif
#undef __need_max_align_t
#endif

#ifdef __need_offsetof
#undef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#undef __need_offsetof
#endif
