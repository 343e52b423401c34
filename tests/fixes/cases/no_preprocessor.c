#include <stdlib.h>

int f(int n)
{
	char *p = malloc(n);

	if (!p)
		return -1;
#ifdef BIG
	if (n > 3) {
		return -2;
#else
	if (n > 4) {
		return -3;
#endif
	}
	free(p);
	return 0;
}
