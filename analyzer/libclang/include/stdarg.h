/* The compiler's own header: variable arguments. __need___va_list asks for one type only. */
#ifndef __mf_gnuc_va_list
#define __mf_gnuc_va_list
typedef __builtin_va_list __gnuc_va_list;
#endif
#ifndef __need___va_list
#ifndef __mf_va_list
#define __mf_va_list
#define _VA_LIST_DEFINED
typedef __builtin_va_list va_list;
#endif
#undef va_start
#undef va_end
#undef va_arg
#undef va_copy
#undef __va_copy
#define va_start(list, last) __builtin_va_start(list, last)
#define va_end(list) __builtin_va_end(list)
#define va_arg(list, type) __builtin_va_arg(list, type)
#define va_copy(to, from) __builtin_va_copy(to, from)
#define __va_copy(to, from) __builtin_va_copy(to, from)
#endif
#undef __need___va_list
