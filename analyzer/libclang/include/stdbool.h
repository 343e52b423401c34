/* The compiler's own header: bool. From C23 on the words belong to the language. */
#pragma once
#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 202000L
#define bool _Bool
#define true 1
#define false 0
#endif
#define __bool_true_false_are_defined 1
