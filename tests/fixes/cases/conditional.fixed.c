#include <stdlib.h>

int use(const char *text);

int f(int a)
{
	char *p = malloc(3);

	if (!p)
		return -1;
#ifdef FOO
	if (a == 2)
		return 1;
#else
	if (a == 3) {
		free(p);
		return 1;
	}
#endif
	if (a == 4) {
		free(p);
		return 2;
	}
#ifndef FOO
	use(p);
#endif
	free(p);
	return 0;
}
