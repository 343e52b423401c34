#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pick(int n);

int f(const char *text, int n)
{
	char *copy = strdup(text);
	char *word;

	if (!copy)
		return -1;
	word = strchr(copy, ' ');
	if (!word)
		return -2;
	if (pick(n))
		return *word;
	puts(word);
	free(copy);
	return 0;
}
