#include <stdlib.h>

#define CHECK(n) do { char *t = malloc(n); if (t) t[0] = 0; } while (0)

int use(const char *text, int n);

int f(int n)
{
	CHECK(n);
	return n;
}
