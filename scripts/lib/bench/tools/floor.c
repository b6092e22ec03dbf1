/* floor: the least that a server can do. Whoever asks with GET gets a stream, and the body of each POST is sent to all
 * streams as one event, with one send() each. No parsing to speak of, no rooms, no memory of what was sent.
 *
 *   floor PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 60000

static int streams[MOST], number, partial;
static long counter;

static void send_to_all(const char *body, int length) {
    static char frame[1 << 16];
    int size = snprintf(frame, sizeof frame, "id: %015ld-0\ndata: %.*s\n\n", ++counter, length, body);
    for (int i = 0; i < number; i++)
        if (send(streams[i], frame, size, MSG_NOSIGNAL) != size) partial++;
}

static void answer(int fd, char *request, int epoll) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n:\n\n";
    static const char done[] = "HTTP/1.1 204 No Content\r\n\r\n";
    if (!strncmp(request, "GET", 3)) {
        if (send(fd, head, sizeof head - 1, MSG_NOSIGNAL) > 0 && number < MOST) streams[number++] = fd;
        return;
    }
    char *body = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "\r\nContent-Length:");
    if (!body || !length) return;
    send_to_all(body + 4, atoi(length + 17));
    if (send(fd, done, sizeof done - 1, MSG_NOSIGNAL) < 0) epoll_ctl(epoll, EPOLL_CTL_DEL, fd, 0);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) { perror("listen"); return 1; }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            static char request[1 << 16];
            if (fd == listener) {
                struct epoll_event of = {.events = EPOLLIN, .data.fd = accept4(listener, 0, 0, SOCK_NONBLOCK)};
                epoll_ctl(epoll, EPOLL_CTL_ADD, of.data.fd, &of);
                continue;
            }
            ssize_t length = recv(fd, request, sizeof request - 1, 0);
            if (length > 0) {
                request[length] = 0;
                answer(fd, request, epoll);
                continue;
            }
            for (int j = 0; j < number; j++) if (streams[j] == fd) { streams[j] = streams[--number]; break; }
            close(fd);
        }
    }
}
