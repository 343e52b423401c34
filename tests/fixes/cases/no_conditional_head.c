#include <stdlib.h>

int f(int a)
{
	char *p = malloc(3);

	if (!p)
		return -1;
#ifdef FOO
	if (a == 2)
#else
	if (a == 3)
#endif
		return 1;
	free(p);
	return 0;
}
