#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pick(int n);

int f(const char *text, int n)
{
	char *copy = strdup(text);
	char *word;
	int ret;

	if (!copy)
		return -1;
	word = strchr(copy, ' ');
	if (!word) {
		free(copy);
		return -2;
	}
	if (pick(n)) {
		ret = *word;
		free(copy);
		return ret;
	}
	puts(word);
	free(copy);
	return 0;
}
