#include <stdlib.h>

int pick(int n);

int f (int n)
{
  char *p = malloc (n);
  if (!p)
    return -1;
  while (n > 3)
    {
      if (pick (n))
        {
          n++;
          n--;
        }
      if (pick (n + 1))
        return -2;
      n--;
    }
  free (p);
  return 0;
}
