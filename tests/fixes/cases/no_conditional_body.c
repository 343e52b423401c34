#include <stdlib.h>

int f(int a)
{
	char *p = malloc(3);

	if (!p)
		return -1;
	if (a == 2)
#ifdef FOO
		return 1;
#else
		return 2;
#endif
	free(p);
	return 0;
}
