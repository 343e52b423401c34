#include <stdlib.h>
#include <string.h>

struct item {
	int size;
	char *name;
};

int measure(const char *text);

int length(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -1;
	return measure(copy);
}

unsigned long total(struct item *item, const char *text)
{
	char *copy = strdup(text);
	unsigned long rc = 0;

	if (!copy)
		return rc;
	if (item->size)
		return copy[0] + item->size;
	free(copy);
	return rc;
}
