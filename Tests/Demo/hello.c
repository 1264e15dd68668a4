// The web server of `make demo`: answers whoever connects to the socket that it is given, sd_listen_fds(3).
// Tests/Bench/service.py has it with a MARK: a file that it makes when it begins. Without a socket it does nothing
// then.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void stop(int signal) {
    (void)signal;
    static const char text[] = "asked to stop, stopping\n";
    _exit(write(1, text, sizeof text - 1) < 0);
}

int main(void) {
    char request[1024];
    // The first process of a container gets no signal that it has not asked for.
    signal(SIGTERM, stop);
    setlinebuf(stdout);
#ifdef MARK
    close(open(MARK, O_WRONLY | O_CREAT, 0600));
    while (!getenv("LISTEN_FDS")) pause();
#endif
    if (!getenv("LISTEN_FDS")) {
        fputs("hello: there is no socket in LISTEN_FDS\n", stderr);
        return 1;
    }
    puts("serving");
    for (;;) {
        int connection = accept(3, NULL, NULL);
        if (connection < 0) continue;
        if (read(connection, request, sizeof request) > 0) {
            dprintf(connection, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nHello from a container that runbox runs.\n");
            puts("answered a request");
        }
        close(connection);
    }
}
