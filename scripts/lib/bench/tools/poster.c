/* poster: sends POSTs over some kept connections, at a rate or as fast as they are answered.
 *
 *   poster PORT CONNECTIONS REQUESTS RATE SECONDS FIRST
 *
 * REQUESTS is a file of HTTP requests, each ended by a NUL, sent in turn. In each, twenty T become the nanoseconds of
 * CLOCK_MONOTONIC, and twelve N a number counted up from FIRST. RATE 0: one post in flight on each connection, without a
 * pause. At the end it prints one line of JSON; the time of a post is from its sending to the end of its answer.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

typedef struct { int fd, busy, length; uint64_t sent; char answer[1 << 15]; } Connection;

static uint64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void die(const char *what) { perror(what); exit(1); }

static int dial(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (void *)&to, sizeof to)) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void put(char *request, const char *mark, const char *format, uint64_t value) {
    char *at = strstr(request, mark), digits[32];
    if (at) memcpy(at, digits, snprintf(digits, sizeof digits, format, value));
}

static void post(Connection *connection, const char *template, uint64_t number) {
    static char request[1 << 16];
    size_t length = strlen(template);
    if (length >= sizeof request) die("request");
    memcpy(request, template, length + 1);
    put(request, "NNNNNNNNNNNN", "%012lu", number);
    connection->sent = clock_ns();
    put(request, "TTTTTTTTTTTTTTTTTTTT", "%020lu", connection->sent);
    if (write(connection->fd, request, length) != (ssize_t)length) die("write");
    connection->busy = 1;
    connection->length = 0;
}

/* The status, once the whole answer is there; 0 before that. */
static int status_of(Connection *connection) {
    connection->answer[connection->length] = 0;
    char *body = strstr(connection->answer, "\r\n\r\n"), *header = strcasestr(connection->answer, "\r\nContent-Length:");
    if (!body) return 0;
    int expected = header && header < body ? atoi(header + 17) : 0;
    if (connection->answer + connection->length < body + 4 + expected) return 0;
    return atoi(connection->answer + 9);
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    int port = atoi(argv[1]), size = atoi(argv[2]), kinds = 0, in_flight = 0;
    double rate = atof(argv[4]), seconds = atof(argv[5]);
    uint64_t number = strtoull(argv[6], 0, 10), ok = 0, bad = 0, sent = 0, late = 0;
    FILE *file = fopen(argv[3], "rb");
    struct stat about;
    if (!file || fstat(fileno(file), &about)) die(argv[3]);
    char *text = calloc(about.st_size + 1, 1), **requests = malloc((about.st_size + 1) * sizeof *requests);
    if (fread(text, 1, about.st_size, file) != (size_t)about.st_size) die(argv[3]);
    for (char *at = text; at < text + about.st_size; at += strlen(at) + 1) requests[kinds++] = at;

    Connection *all = calloc(size, sizeof *all), **idle = calloc(size, sizeof *idle);
    int epoll = epoll_create1(0), waiting = 0, timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    for (int i = 0; i < size; i++) {
        all[i].fd = dial(port);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
        idle[waiting++] = &all[i];
    }
    struct epoll_event tick = {.events = EPOLLIN, .data.ptr = 0};
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &tick);

    uint64_t started = clock_ns(), end = started + seconds * 1e9, room = 1 << 20, *times = malloc(room * sizeof *times);
    uint64_t planned = rate * seconds + .5, ended = 0;
    for (;;) {
        uint64_t now = clock_ns();
        while (waiting && (rate ? sent < planned && started + sent / rate * 1e9 <= now : now < end)) {
            if (rate && now - (uint64_t)(started + sent / rate * 1e9) > 10000000) late++;
            post(idle[--waiting], requests[sent % kinds], number++);
            sent++;
            in_flight++;
        }
        if (!in_flight && (rate ? sent >= planned : now >= end)) break;
        if (rate && sent < planned && waiting) {
            uint64_t due = started + sent / rate * 1e9;
            struct itimerspec when = {.it_value = {due / 1000000000, due % 1000000000 + 1}};
            timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, 0);
        }
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, 10000);
        if (!count && in_flight) { fprintf(stderr, "no answer for 10 s\n"); return 1; }
        for (int i = 0; i < count; i++) {
            Connection *connection = events[i].data.ptr;
            if (!connection) { uint64_t ticks; if (read(timer, &ticks, sizeof ticks) < 0) continue; continue; }
            ssize_t length = read(connection->fd, connection->answer + connection->length,
                                  sizeof connection->answer - 1 - connection->length);
            if (length <= 0) { fprintf(stderr, "a connection was closed\n"); return 1; }
            connection->length += length;
            int status = status_of(connection);
            if (!status || !connection->busy) continue;
            ended = clock_ns();
            if (ok + bad < room) times[ok + bad] = ended - connection->sent;
            if (status >= 200 && status < 300) ok++;
            else if (!bad++) fprintf(stderr, "%.500s\n", connection->answer);
            connection->busy = 0;
            in_flight--;
            idle[waiting++] = connection;
        }
    }
    uint64_t n = ok + bad < room ? ok + bad : room;
    qsort(times, n, sizeof *times, ascending);
    printf("{\"posts\": %lu, \"bad\": %lu, \"late\": %lu, \"seconds\": %.4f, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}\n",
           ok, bad, late, (ended - started) / 1e9, n ? times[n / 2] / 1e6 : 0,
           n ? times[(uint64_t)(n * .99)] / 1e6 : 0, n ? times[n - 1] / 1e6 : 0);
    return 0;
}
