#include <stdlib.h>

int use(const char *text);

int f(int a)
{
	char *p = malloc(3);
#ifndef FOO
	int other = 3;
#endif

	if (!p)
		return -1;
	if (a == 2)
		return use(p);
	free(p);
	return 0;
}
