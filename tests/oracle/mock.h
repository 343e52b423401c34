/* The library that programs of the execution oracle call, mocked to its contracts.
 *
 * Every decision of the environment comes from a tape; run_all() runs a function once for each tape. What is
 * acquired is remembered with its line. Each block has a page of its own, which cannot be touched once it is
 * released, so a use after release is seen; a block is lost when nothing that lives on after the function
 * holds its address.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, MOST = 256, SITES = 512, EVENTS = 512, TAPE = 512 };
enum state { OWNED, RELEASED, LOST };
enum verdict { LEAKED, HELD, HANDED, FREED, NEVER }; /* the first that holds on any run */

struct instance {
    int line, outer;
    const char *slot;
    enum state state;
    int number; /* of a descriptor, else -1 */
};

struct site {
    int line, outer;
    const char *slot;
    enum verdict verdict;
    int maybe;  /* may be lost: behind something undefined, or on a run that was cut */
    int cut;    /* was owned or released on a run that was cut */
};

struct event {
    const char *kind;
    int line, outer, sure;
};

static char *arena;
static struct instance instances[MOST];
static int count;
static struct site sites[SITES];
static int site_count;
static struct event events[EVENTS];
static int event_count;
static int tape[TAPE], choices[TAPE], tape_length, position;
static const int *domain;
static int domain_size, zero_allowed, zero_used;
static int undefined_behaviour, at, outer, locked, plain;
static int ticks[1 << 16];
static sigjmp_buf cut;
static void *shelf, *cell;

static void stop(void)
{
    siglongjmp(cut, 1);
}

static int choose(int number)
{
    if (number == 1)
        return 0;
    if (position == tape_length) {
        if (tape_length == TAPE)
            stop();
        tape[tape_length] = 0;
        choices[tape_length++] = number;
    }
    return tape[position++];
}

/* One of the integers of interest with this sign: 1 above 0, 0 from 0, -1 below 0, -2 up to 0, 2 any. */
static int pick(int sign)
{
    int fitting[32], n = 0;
    for (int i = 0; i < domain_size; i++) {
        int v = domain[i];
        if (sign == 2 || (sign == 1 && v > 0) || (sign == 0 && v >= 0) || (sign == -1 && v < 0) ||
            (sign == -2 && v <= 0))
            fitting[n++] = v;
    }
    return n ? fitting[choose(n)] : sign == 1 ? 1 : -(sign == -1);
}

static void tick(int line)
{
    if (++ticks[line & 0xffff] > 4)
        stop();
}

static void event(const char *kind, int line)
{
    int sure = !undefined_behaviour, i;
    undefined_behaviour = 1;
    for (i = 0; i < event_count; i++)
        if (!strcmp(events[i].kind, kind) && events[i].line == line && events[i].outer == outer)
            break;
    if (i == EVENTS)
        return;
    if (i == event_count)
        events[event_count++] = (struct event){kind, line, outer, 0};
    events[i].sure |= sure;
}

static struct site *site_of(const struct instance *one)
{
    int i;
    for (i = 0; i < site_count; i++)
        if (sites[i].line == one->line && sites[i].outer == one->outer && !strcmp(sites[i].slot, one->slot))
            return &sites[i];
    sites[site_count] = (struct site){one->line, one->outer, one->slot, NEVER, 0, 0};
    return &sites[site_count++];
}

static void ended(const struct instance *one, enum verdict verdict)
{
    struct site *site = site_of(one);
    if (!undefined_behaviour && verdict < site->verdict)
        site->verdict = verdict;
}

static struct instance *acquire(int line, const char *slot)
{
    if (count == MOST)
        stop();
    struct instance *one = &instances[count++];
    *one = (struct instance){line, outer, slot, OWNED, -1};
    site_of(one);
    return one;
}

static void *block_of(const struct instance *one)
{
    return arena + (one - instances) * (ptrdiff_t)PAGE;
}

static struct instance *instance_at(const void *p)
{
    ptrdiff_t offset = (const char *)p - arena;
    return offset >= 0 && offset < (ptrdiff_t)count * PAGE && offset % PAGE == 0 ? &instances[offset / PAGE] : NULL;
}

static int is_unset(const void *p)
{
    return (uintptr_t)p == (uintptr_t)0xfefefefefefefefe;
}

static void lock(struct instance *one)
{
    locked = 1;
    mprotect(block_of(one), PAGE, PROT_NONE);
}

static void release(struct instance *one, int line)
{
    if (one->state == RELEASED) {
        event("double-release", line);
        return;
    }
    one->state = RELEASED;
    ended(one, FREED);
    if (one->number < 0)
        lock(one);
}

static void mock_free(void *p, int line)
{
    struct instance *one = instance_at(p);
    if (is_unset(p))
        event("uninitialized-release", line);
    else if (one)
        release(one, line);
}

static void *mock_alloc(int line)
{
    return choose(2) ? block_of(acquire(line, "ret")) : NULL;
}

static void *mock_realloc(void *p, int line)
{
    struct instance *old = instance_at(p);
    if (is_unset(p) || (old && old->state != OWNED))
        stop();
    if (!choose(2))
        return NULL;
    if (old)
        release(old, line);
    return block_of(acquire(line, "ret"));
}

static int mock_nl_recv(void *buf, void *creds, int line)
{
    if (!choose(2)) {
        if (creds)
            *(void **)creds = NULL;
        return pick(-2);
    }
    *(void **)buf = block_of(acquire(line, "buf"));
    if (creds)
        *(void **)creds = choose(2) ? block_of(acquire(line, "creds")) : NULL;
    return pick(1);
}

static int mock_getline(void *place, int line)
{
    char **slot = place;
    struct instance *old = instance_at(*slot);
    if (is_unset(*slot) || (old && old->state != OWNED))
        stop();
    if (old)
        release(old, line);
    *slot = block_of(acquire(line, "lineptr"));
    return choose(2) ? pick(0) : -1;
}

static int mock_open(int line)
{
    int how = choose(zero_allowed && !zero_used ? 3 : 2);
    if (!how)
        return -1;
    struct instance *one = acquire(line, "ret");
    zero_used |= how == 2;
    return one->number = how == 2 ? 0 : 1000 + count;
}

static void mock_close(int fd, int line)
{
    for (int i = 0; i < count; i++)
        if (fd >= 0 && instances[i].number == fd)
            release(&instances[i], line);
}

static int env(void)
{
    return pick(2);
}

static void fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    ptrdiff_t offset = (char *)info->si_addr - arena;
    if (offset >= 0 && offset < (ptrdiff_t)count * PAGE) {
        struct instance *one = &instances[offset / PAGE];
        event("use-after-release", at);
        mprotect(block_of(one), PAGE, PROT_READ | PROT_WRITE);
        return;
    }
    siglongjmp(cut, 1);
}

/* Runs it once; returns 0 when the run was cut. */
static void run_once(void *(*program)(void *, void **, int, int), int pointers, int parameters)
{
    int complete = 0;
    void *volatile result = NULL;
    memset(ticks, 0, sizeof ticks);
    count = position = undefined_behaviour = at = outer = locked = zero_used = plain = 0;
    shelf = cell = NULL;
    if (!sigsetjmp(cut, 1)) {
        int a = parameters & 1 ? pick(2) : 0, b = parameters & 2 ? pick(2) : 0;
        result = program(&cell, &cell, a, b);
        complete = 1;
    }
    for (int i = 0; i < count; i++) {
        struct instance *one = &instances[i];
        void *address = block_of(one);
        if (!complete) {
            site_of(one)->cut = 1;
            site_of(one)->maybe |= one->state == OWNED;
        } else if (one->state == OWNED) {
            int handed = cell == address || (pointers && result == address) ||
                         (!pointers && !plain && one->number >= 0 && (int)(intptr_t)result == one->number);
            if (handed)
                ended(one, HANDED);
            else if (shelf == address || one->number == 0) /* standard input, which nobody misses */
                ended(one, HELD);
            else if (undefined_behaviour)
                site_of(one)->maybe = 1;
            else
                ended(one, LEAKED);
        }
    }
    if (locked)
        mprotect(arena, (size_t)MOST * PAGE, PROT_READ | PROT_WRITE);
}

static void run_all(int number, void *program, int pointers, int parameters, const int *values, int size, int zero,
                    int most)
{
    static const char *const names[] = {"leaked", "held", "handed", "released", "never"};
    int runs = 0, more = 1;
    if (!arena) {
        static char stack[1 << 16];
        stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
        struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        arena = mmap(NULL, (size_t)MOST * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        sigaltstack(&other, NULL);
        sigaction(SIGSEGV, &action, NULL);
        sigaction(SIGBUS, &action, NULL);
    }
    domain = values, domain_size = size, zero_allowed = zero;
    site_count = event_count = tape_length = 0;
    for (; more && runs < most; runs++) {
        run_once((void *(*)(void *, void **, int, int))program, pointers, parameters);
        while (tape_length && tape[tape_length - 1] + 1 >= choices[tape_length - 1])
            tape_length--;
        more = tape_length > 0;
        if (more)
            tape[tape_length - 1]++;
    }
    printf("program %d %d %d\n", number, runs, !more);
    for (int i = 0; i < site_count; i++)
        printf("site %d %d %s %s %d %d\n", sites[i].line, sites[i].outer, sites[i].slot, names[sites[i].verdict],
               sites[i].maybe, sites[i].cut);
    for (int i = 0; i < event_count; i++)
        printf("event %s %d %d %d\n", events[i].kind, events[i].line, events[i].outer, events[i].sure);
}

/* From here on the programs. */
struct pair {
    void *a, *b;
};
#define nl_sock pair
struct sockaddr_nl {
    int unused;
};
typedef unsigned char byte;
#define FILE void
#define ssize_t long
#define O_RDONLY 0
#define malloc(size) mock_alloc(__LINE__)
#define realloc(p, size) mock_realloc(p, __LINE__)
#define free(p) mock_free(p, __LINE__)
#define fopen(name, mode) mock_alloc(__LINE__)
#define fclose(p) mock_free(p, __LINE__)
#define getline(place, size, stream) mock_getline(place, __LINE__)
#define open(name, flags) mock_open(__LINE__)
#define close(fd) mock_close(fd, __LINE__)
#define nl_recv(sk, nla, buf, creds) mock_nl_recv(buf, creds, __LINE__)
#define while(...) while (tick(__LINE__), (__VA_ARGS__))
