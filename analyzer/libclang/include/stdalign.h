/* The compiler's own header: alignment. */
#pragma once
#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 202000L
#define alignas _Alignas
#define alignof _Alignof
#endif
#define __alignas_is_defined 1
#define __alignof_is_defined 1
