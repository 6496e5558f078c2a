/* The least one write per delivery can cost: a loop of send() calls.
 *
 * Usage: floor PORT CLIENTS BYTES
 *
 * Accepts CLIENTS connections on 127.0.0.1:PORT. Then, for every byte read from standard input,
 * sends one WebSocket text frame with a payload of BYTES (126 to 65535) to each of them. Ends
 * when standard input ends, or with status 1 when a call fails.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(int succeeded, const char *what) {
    if (!succeeded) {
        perror(what);
        exit(1);
    }
}

int main(int argc, char **argv) {
    must(argc == 4, "usage: floor PORT CLIENTS BYTES");
    int on = 1, clients = atoi(argv[2]);
    size_t payload = (size_t)atoi(argv[3]), size = payload + 4;

    unsigned char *frame = malloc(size);
    int *sockets = calloc((size_t)clients, sizeof *sockets);
    must(frame && sockets, "malloc");
    memset(frame, 'x', size);
    memcpy(frame, (unsigned char[]){0x81, 0x7e, payload >> 8, payload & 0xff, '4', '2'}, 6);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, "setsockopt");
    must(bind(listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    must(listen(listener, 128) == 0, "listen");

    for (int i = 0; i < clients; i++) {
        sockets[i] = accept(listener, NULL, NULL);
        must(sockets[i] >= 0, "accept");
        must(setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "nodelay");
    }
    for (char command; read(STDIN_FILENO, &command, 1) == 1;)
        for (int i = 0; i < clients; i++)
            must(send(sockets[i], frame, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
    return 0;
}
