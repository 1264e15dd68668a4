// Stands before a runtime and writes down how long each of its calls lasted. Beside it lie `real`, a link to the
// runtime, and `log`, which gets a line a call: the nanoseconds and the command. Static and small, so that it costs an
// engine little. Where a file `strip` lies there, limits are taken out of the bundle's configuration first: a host
// whose cgroups lack controllers could run no engine's container with every runtime.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const commands[] = {"create", "start", "run", "exec", "kill", "delete", "state", "ps", "update", "events", "features", "list", "pause", "resume", NULL};

static const char *command(char **words) {
    for (char **word = words; *word; word++)
        for (const char *const *name = commands; *name; name++)
            if (strcmp(*word, *name) == 0) return *name;
    return "other";
}

// Behind the value that begins at `text`, an object or a list.
static char *behind(char *text) {
    int depth = 0, quoted = 0;
    for (; *text; text++) {
        if (quoted && *text == '\\') text++;
        else if (*text == '"') quoted = !quoted;
        else if (!quoted && (*text == '{' || *text == '[')) depth++;
        else if (!quoted && (*text == '}' || *text == ']') && --depth == 0) return text + 1;
    }
    return text;
}

// Leaves of linux.resources the rules of devices only.
static int strip(const char *bundle) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/config.json", bundle);
    FILE *file = fopen(path, "r+");
    static char text[1 << 20], kept[1 << 16];
    if (!file) return -1;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    char *resources = strstr(text, "\"resources\":{");
    if (resources) {
        resources += strlen("\"resources\":");
        char *end = behind(resources), *devices = strstr(resources, "\"devices\":[");
        int size = 0;
        if (devices && devices < end) size = snprintf(kept, sizeof kept, "%.*s", (int)(behind(strchr(devices, '[')) - devices), devices);
        rewind(file);
        fprintf(file, "%.*s{%.*s}%s", (int)(resources - text), text, size, kept, end);
        if (fflush(file) || ftruncate(fileno(file), ftell(file))) return -1;
    }
    return fclose(file);
}

int main(int count, char **words) {
    char folder[PATH_MAX], real[PATH_MAX + 8], log[PATH_MAX + 8], line[64];
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length <= 0 || count < 1) return 125;
    folder[length] = 0;
    *strrchr(folder, '/') = 0;
    snprintf(real, sizeof real, "%s/real", folder);
    snprintf(log, sizeof log, "%s/log", folder);
    char mark[PATH_MAX + 8];
    snprintf(mark, sizeof mark, "%s/strip", folder);
    if (strcmp(command(words + 1), "create") == 0 && access(mark, F_OK) == 0) {
        const char *bundle = ".";
        for (int i = 1; i + 1 < count; i++)
            if (strcmp(words[i], "--bundle") == 0 || strcmp(words[i], "-b") == 0) bundle = words[i + 1];
        if (strip(bundle)) return 125;
        clock_gettime(CLOCK_MONOTONIC, &began);
    }
    // What ends the runtime in earnest must end it here, too; the engine sees the same status.
    pid_t child = vfork();
    if (child == 0) {
        execv(real, words);
        _exit(125);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) return 125;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    long long nanoseconds = (ended.tv_sec - began.tv_sec) * 1000000000LL + ended.tv_nsec - began.tv_nsec;
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file >= 0) {
        int size = snprintf(line, sizeof line, "%lld %s\n", nanoseconds, command(words + 1));
        if (write(file, line, size) != size) return 125;
    }
    if (WIFSIGNALED(status)) raise(WTERMSIG(status));
    return WEXITSTATUS(status);
}
