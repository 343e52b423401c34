#include <stdlib.h>

int f(int n)
{
    char *p = malloc(n);
    if (!p)
        return -1;
    if (n > 3)
        return -2;
    free(p);
    return 0;
}
