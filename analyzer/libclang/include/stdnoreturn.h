/* The compiler's own header: noreturn. */
#pragma once
#define noreturn _Noreturn
#define __noreturn_is_defined 1
