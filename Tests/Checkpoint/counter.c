// counter [NAME=VALUE...]: counts in memory, for tests that move it. Each number is one line of its output, or of
// out=FILE.
//   tick=MS      how long a number lasts (50)
//   mb=N         memory that is filled at the start
//   check=N      checks it for what it was filled with at every Nth number (100); 0: when a connection asks for it
//   dirty=N      pages of it that are written anew for each number
//   listen=PORT  answers each line of each TCP connection with the number; one that begins with c, with whole or changed
//   unix=PATH    connects to a Unix socket there, and sends each number
//   lock=FILE    holds a lock of the file, flock(2)
//   deleted=FILE holds a file open that it has deleted
//   children=N   processes that count on their own
// SIGTERM ends it with exit status 7.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ended;
static void end(int number) { (void)number; ended = 1; }

static void die(const char *what) {
  fprintf(stderr, "counter: %s: %s\n", what, strerror(errno));
  exit(3);
}

static const char *value(int count, char **words, const char *name) {
  size_t length = strlen(name);
  for (int i = 1; i < count; i++)
    if (!strncmp(words[i], name, length) && words[i][length] == '=') return words[i] + length + 1;
  return NULL;
}

static long number(int count, char **words, const char *name, long otherwise) {
  const char *text = value(count, words, name);
  return text ? atol(text) : otherwise;
}

static unsigned long expected(long page) { return 0x9e3779b97f4a7c15ul * (unsigned long)(page + 1); }

static long changed(unsigned long *memory, long pages) {
  for (long page = 0; page < pages; page++)
    for (int i = 0; i < 512; i += 64)
      if (memory[page * 512 + i] != expected(page)) return page;
  return -1;
}

int main(int count, char **words) {
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGTERM, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  long tick = number(count, words, "tick", 50), pages = number(count, words, "mb", 0) * 256, dirty = number(count, words, "dirty", 0);
  long check = number(count, words, "check", 100);
  const char *path = value(count, words, "out");
  int out = 1;
  if (path && (out = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666)) < 0) die(path);
  for (long i = number(count, words, "children", 0); i > 0; i--)
    if (!fork()) { for (;;) pause(); }
  if ((path = value(count, words, "lock"))) {
    int file = open(path, O_RDWR | O_CREAT, 0666);
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB)) die(path);
  }
  int gone = -1;
  if ((path = value(count, words, "deleted"))) {
    gone = open(path, O_RDWR | O_CREAT, 0666);
    if (gone < 0 || write(gone, "kept\n", 5) != 5 || unlink(path)) die(path);
  }
  int unix_end = -1;
  if ((path = value(count, words, "unix"))) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    unix_end = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (unix_end < 0 || connect(unix_end, (struct sockaddr *)&address, sizeof address)) die(path);
  }
  unsigned long *memory = NULL;
  if (pages) {
    memory = mmap(NULL, (size_t)pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) die("mmap");
    for (long page = 0; page < pages; page++)
      for (int i = 0; i < 512; i += 64) memory[page * 512 + i] = expected(page);
  }
  struct pollfd waiting[17] = {{.fd = -1}};
  int ends = 1;
  long port = number(count, words, "listen", 0);
  if (port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int on = 1, end = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(end, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (end < 0 || bind(end, (struct sockaddr *)&address, sizeof address) || listen(end, 4)) die("listen");
    waiting[0] = (struct pollfd){.fd = end, .events = POLLIN};
  }
  for (unsigned long now = 1; !ended; now++) {
    char line[32];
    int length = snprintf(line, sizeof line, "%lu\n", now);
    if (write(out, line, (size_t)length) != length && errno != EPIPE) die("write");
    if (unix_end >= 0) send(unix_end, line, (size_t)length, MSG_DONTWAIT);
    for (long i = 0; i < dirty && pages; i++) {
      long page = (long)((now * (unsigned long)dirty + (unsigned long)i) % (unsigned long)pages);
      memory[page * 512] = expected(page);
    }
    if (pages && check && now % (unsigned long)check == 0 && changed(memory, pages) >= 0) {
      fprintf(stderr, "counter: page %ld has changed\n", changed(memory, pages));
      return 4;
    }
    if (gone >= 0) {
      char kept[8] = "";
      if (pread(gone, kept, 5, 0) != 5 || strcmp(kept, "kept\n")) { fprintf(stderr, "counter: the deleted file has changed\n"); return 5; }
    }
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long left = tick; left > 0 && !ended;) {
      int ready = poll(waiting, (nfds_t)ends, (int)left);
      if (ready > 0) {
        if (waiting[0].revents & POLLIN && ends < 17) {
          int end = accept4(waiting[0].fd, NULL, NULL, SOCK_NONBLOCK);
          if (end >= 0) waiting[ends++] = (struct pollfd){.fd = end, .events = POLLIN};
        }
        for (int i = 1; i < ends; i++) {
          if (!waiting[i].revents) continue;
          char asked[64];
          ssize_t got = read(waiting[i].fd, asked, sizeof asked);
          if (got > 0) {
            const char *told = asked[0] != 'c' ? line : changed(memory, pages) < 0 ? "whole\n" : "changed\n";
            if (write(waiting[i].fd, told, strlen(told)) < 0) got = 0;
          }
          if (got == 0 || (got < 0 && errno != EAGAIN)) {
            close(waiting[i].fd);
            waiting[i] = waiting[--ends];
          }
        }
      }
      clock_gettime(CLOCK_MONOTONIC, &to);
      left = tick - ((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
    }
  }
  return 7;
}
