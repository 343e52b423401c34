#include <stdlib.h>

struct list {
	int used;
};

int fill(int n);

void find(struct list **out, int n)
{
	struct list *list = malloc(sizeof(*list));

	if (!list)
		return;
	list->used = fill(n);
	if (list->used)
		*out = list;
	else
		free(list);
}
