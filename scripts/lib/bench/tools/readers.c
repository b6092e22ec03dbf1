/* readers: holds many Server-Sent-Events streams with one epoll loop, and tells when what arrived.
 *
 *   readers PORT STREAMS REQUESTS AT_ONCE OWED
 *
 * REQUESTS is a file of HTTP requests, each ended by a NUL; stream i sends the i-th, round and round. At most AT_ONCE
 * streams wait for their answer at a time; 0 is a storm: all connect, {"connected": …} is said when all are, and then all
 * ask. Says {"ready": …} when all have their answer; with OWED > 0 also {"caught_up": …} when each has had so many messages. Then it obeys its standard input: "mark" forgets all counts, "report" tells them since.
 *
 * A message carries t= and twenty digits: nanoseconds of CLOCK_MONOTONIC when it was sent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIGITS 20
#define MARK (2 + DIGITS)
#define TABLE (1 << 18) /* messages between two marks, at most a half of it */
#define FINE 32         /* latency: steps within a power of two, so each is exact to 3 % */
#define STEPS (64 * FINE)

typedef struct { int fd, answered, tail_length; long messages; char tail[MARK]; } Stream;
typedef struct { uint64_t sent, last; long readers; } Message;

static Message *table;
static long histogram[STEPS];
static long messages, bytes, reads, closed, refused, distinct;
static uint64_t marked_at, slowest;

static uint64_t clock_ns(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void die(const char *what) { perror(what); exit(1); }

static int step_of(uint64_t ns) {
    if (ns < FINE) return ns;
    int power = 63 - __builtin_clzll(ns);
    return (power - 4) * FINE + (ns >> (power - 5)) % FINE;
}

static double ms_of(int step) {
    return (step < FINE ? step : (double)((uint64_t)(FINE + step % FINE) << (step / FINE - 1))) / 1e6;
}

static double percentile(double share) {
    long seen = 0, wanted = messages * share;
    for (int i = 0; i < STEPS; i++) if ((seen += histogram[i]) > wanted) return ms_of(i);
    return slowest / 1e6;
}

static void count(uint64_t sent, uint64_t now) {
    uint64_t late = now > sent ? now - sent : 0;
    histogram[step_of(late)]++;
    messages++;
    if (late > slowest) slowest = late;
    uint32_t place = (sent * 0x9e3779b97f4a7c15ull) >> 46;
    while (table[place].sent && table[place].sent != sent) place = (place + 1) % TABLE;
    Message *message = &table[place];
    if (!message->sent) {
        if (distinct >= TABLE / 2) return;
        distinct++;
        message->sent = sent;
    }
    message->readers++;
    message->last = late;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void mark(void) {
    memset(table, 0, TABLE * sizeof *table);
    memset(histogram, 0, sizeof histogram);
    messages = bytes = reads = distinct = 0;
    slowest = 0;
    marked_at = clock_ns(CLOCK_MONOTONIC);
    printf("{\"marked\": true}\n");
}

static void report(void) {
    uint64_t *last = malloc((distinct + 1) * sizeof *last);
    long n = 0;
    for (int i = 0; i < TABLE; i++) if (table[i].sent) last[n++] = table[i].last;
    qsort(last, n, sizeof *last, ascending);
    printf("{\"messages\": %ld, \"distinct\": %ld, \"bytes\": %ld, \"reads\": %ld, \"closed\": %ld, \"refused\": %ld, "
           "\"seconds\": %.3f, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f, \"last_p50\": %.3f, \"last_p99\": %.3f}\n",
           messages, distinct, bytes, reads, closed, refused, (clock_ns(CLOCK_MONOTONIC) - marked_at) / 1e9,
           messages ? percentile(.5) : 0, messages ? percentile(.99) : 0, slowest / 1e6, n ? last[n / 2] / 1e6 : 0,
           n ? last[(long)(n * .99)] / 1e6 : 0);
    free(last);
}

/* A mark may be cut by the end of a read: what there is of it waits in `tail`. */
static long take(Stream *stream, char *data, ssize_t length, uint64_t now) {
    char *at = data, *end = data + length;
    long found = 0;
    stream->tail_length = 0;
    while (at < end && (at = memchr(at, 't', end - at))) {
        if (end - at < MARK) {
            if (end - at == 1 || at[1] == '=') {
                stream->tail_length = end - at;
                memcpy(stream->tail, at, end - at);
                break;
            }
            at++;
        } else if (at[1] == '=' && at[2] == '0') {
            char digits[DIGITS + 1] = "";
            memcpy(digits, at + 2, DIGITS);
            count(strtoull(digits, 0, 10), now);
            found++;
            at += MARK;
        } else at++;
    }
    return found;
}

/* A chunked response that ends: the server sends the reader away, and may keep the connection. */
static int is_over(const char *data, ssize_t length) {
    return length >= 5 && !memcmp(data + length - 5, "0\r\n\r\n", 5) && (length == 5 || data[length - 6] == '\n');
}

static int dial(int epoll, int port, Stream *stream, int index) {
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct linger at_once = {1, 0};
    int one = 1;
    from.sin_addr.s_addr = htonl(0x7f000002 + index / 20000); /* more streams than one address has ports */
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (stream->fd < 0) die("socket");
    setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* leaves no port behind */
    setsockopt(stream->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &one, sizeof one);
    if (bind(stream->fd, (void *)&from, sizeof from)) die("bind");
    if (connect(stream->fd, (void *)&to, sizeof to) && errno != EINPROGRESS) die("connect");
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = stream};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &event);
}

static char **requests_of(const char *path, int *number) {
    FILE *file = fopen(path, "rb");
    struct stat about;
    if (!file || fstat(fileno(file), &about)) die(path);
    char *text = calloc(about.st_size + 1, 1), **found = malloc((about.st_size + 1) * sizeof *found);
    if (fread(text, 1, about.st_size, file) != (size_t)about.st_size) die(path);
    fclose(file);
    for (char *at = text; at < text + about.st_size; at += strlen(at) + 1) found[(*number)++] = at;
    return found;
}

static void ask(Stream *stream, const char *request) {
    if (write(stream->fd, request, strlen(request)) != (ssize_t)strlen(request)) die("write");
}

static void obey(void) {
    char line[256];
    ssize_t length = read(0, line, sizeof line - 1);
    if (length <= 0) exit(0);
    line[length] = 0;
    if (strstr(line, "mark")) mark();
    if (strstr(line, "report")) report();
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int port = atoi(argv[1]), streams = atoi(argv[2]), at_once = atoi(argv[4]), kinds = 0;
    long owed = atol(argv[5]), dialled = 0, connected = 0, answered = 0, caught_up = 0;
    char **requests = requests_of(argv[3], &kinds);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    table = calloc(TABLE, sizeof *table);
    Stream *all = calloc(streams, sizeof *all);
    int epoll = epoll_create1(0);
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = 0};
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &input);
    uint64_t started = marked_at = clock_ns(CLOCK_MONOTONIC);
    static char buffer[1 << 18];
    struct epoll_event events[1024];
    for (;;) {
        while (dialled < streams && (!at_once || dialled - answered < at_once)) {
            if (dial(epoll, port, &all[dialled], dialled)) die("epoll_ctl");
            dialled++;
        }
        int number = epoll_wait(epoll, events, 1024, -1);
        for (int i = 0; i < number; i++) {
            Stream *stream = events[i].data.ptr;
            if (!stream) { obey(); continue; }
            if (events[i].events & EPOLLOUT) {
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};
                epoll_ctl(epoll, EPOLL_CTL_MOD, stream->fd, &event);
                if (at_once) ask(stream, requests[(stream - all) % kinds]);
                else if (++connected == streams) {
                    printf("{\"connected\": %.4f}\n", (clock_ns(CLOCK_MONOTONIC) - started) / 1e9);
                    for (long each = 0; each < streams; each++) ask(&all[each], requests[each % kinds]);
                    fflush(stdout);
                }
                continue;
            }
            int kept = stream->tail_length;
            memcpy(buffer, stream->tail, kept);
            ssize_t length = read(stream->fd, buffer + kept, sizeof buffer - MARK);
            if (length < 0 && errno == EAGAIN) continue;
            uint64_t now = clock_ns(CLOCK_MONOTONIC);
            int over = length > 0 && is_over(buffer + kept, length);
            if (length > 0) {
                reads++;
                bytes += length;
                if (!stream->answered && strncmp(buffer, "HTTP/1.1 200", 12)) refused++;
                long before = stream->messages;
                stream->messages += take(stream, buffer, kept + length, now);
                if (owed && before < owed && stream->messages >= owed && ++caught_up == streams)
                    printf("{\"caught_up\": %.4f}\n", (now - started) / 1e9);
            }
            if (length <= 0 || over) {
                closed++;
                close(stream->fd);
            }
            if (!stream->answered) {
                stream->answered = 1;
                if (++answered == streams)
                    printf("{\"ready\": %.4f, \"refused\": %ld, \"closed\": %ld}\n", (now - started) / 1e9, refused, closed);
            }
            fflush(stdout);
        }
    }
}
