#include <stdlib.h>
#include <string.h>

struct conn {
	char *name;
	int users;
};

struct conn *conn_new(const char *name)
{
	struct conn *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	c->users = 0;
	c->name = strdup(name);
	return c;
}

void conn_delete(struct conn *c)
{
	if (!c)
		return;
	free(c->name);
	free(c);
}

int use(int n)
{
	struct conn *c = conn_new("x");

	if (!c)
		return -1;
	if (n)
		return -2;
	conn_delete(c);
	return 0;
}
