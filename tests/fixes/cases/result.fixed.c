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
	int ret;

	if (!copy)
		return -1;
	ret = measure(copy);
	free(copy);
	return ret;
}

unsigned long total(struct item *item, const char *text)
{
	char *copy = strdup(text);
	unsigned long rc = 0;

	if (!copy)
		return rc;
	if (item->size) {
		rc = copy[0] + item->size;
		free(copy);
		return rc;
	}
	free(copy);
	return rc;
}
