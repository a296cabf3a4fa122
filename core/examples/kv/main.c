/*
 * A key-value server that speaks the Redis protocol and whose parts can be replaced while it
 * serves.
 *
 * This file starts and ends it: options, the runtime, the store, the socket, the workers; then it
 * waits for a signal and takes everything down in the reverse order. The end is clean: nothing of
 * the runtime is left behind.
 */
#include "server.h"

#include <k42/class.h>
#include <k42/thread.h>

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char usage[] =
    "usage: kv [--port N (0: any free)] [--bind ADDRESS] [--unix PATH] [--threads N]\n"
    "          [--table CLASS] [--maxmemory BYTES] [--maxmemory-policy POLICY]\n";

struct options {
    const char *bind, *unix_path, *table, *policy;
    unsigned port, threads;
    uint64_t maxmemory;
};

static int refuse_option(const char *option, const char *value) {
    fprintf(stderr, "kv: --%s takes no such value as '%s'\n%s", option, value, usage);
    return -EINVAL;
}

static int read_number(const char *option, const char *text, unsigned least, unsigned most,
                       unsigned *number) {
    int64_t value;
    struct kv_slice slice = {text, strlen(text)};
    if (kv_parse_number(slice, &value) < 0 || value < least || value > most)
        return refuse_option(option, text);
    *number = (unsigned)value;
    return 0;
}

static int read_options(int argc, char **argv, struct options *options) {
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'},
        {"bind", required_argument, NULL, 'b'},
        {"unix", required_argument, NULL, 'u'},
        {"threads", required_argument, NULL, 't'},
        {"table", required_argument, NULL, 'T'},
        {"maxmemory", required_argument, NULL, 'm'},
        {"maxmemory-policy", required_argument, NULL, 'P'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option, result = 0;
    while (result == 0 && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        struct kv_slice text = {optarg, optarg ? strlen(optarg) : 0};
        switch (option) {
        case 'p':
            result = read_number("port", optarg, 0, 65535, &options->port);
            break;
        case 'b':
            options->bind = optarg;
            break;
        case 'u':
            options->unix_path = optarg;
            break;
        case 't':
            result = read_number("threads", optarg, 1, 1024, &options->threads);
            break;
        case 'T':
            options->table = optarg;
            break;
        case 'm':
            if (kv_parse_bytes(text, &options->maxmemory) < 0)
                result = refuse_option("maxmemory", optarg);
            break;
        case 'P':
            options->policy = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            result = -EINVAL;
        }
    }
    if (result == 0 && optind < argc) {
        fprintf(stderr, "kv: '%s' is no option\n%s", argv[optind], usage);
        result = -EINVAL;
    }
    return result;
}

/* ---- the socket ---- */

static int listen_tcp(struct kv_server *server, const struct options *options) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options->port)};
    socklen_t length = sizeof(address);
    int on = 1;
    if (inet_pton(AF_INET, options->bind, &address.sin_addr) != 1) {
        fprintf(stderr, "kv: --bind wants an IPv4 address, such as 127.0.0.1, not '%s'\n",
                options->bind);
        return -EINVAL;
    }
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listener < 0)
        return -errno;
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* Accepted sockets inherit it: replies go out at once, since a turn sends all of them in one.
     */
    setsockopt(server->listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(server->listener, 511) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) < 0)
        return -errno;
    server->port = ntohs(address.sin_port);
    return 0;
}

static int listen_unix(struct kv_server *server, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listener < 0)
        return -errno;
    unlink(path);
    if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(server->listener, 511) < 0)
        return -errno;
    return 0;
}

static int open_listener(struct kv_server *server, const struct options *options) {
    int result =
        options->unix_path ? listen_unix(server, options->unix_path) : listen_tcp(server, options);
    if (result < 0)
        fprintf(stderr, "kv: cannot listen on %s port %u: %s\n",
                options->unix_path ? options->unix_path : options->bind, options->port,
                strerror(-result));
    return result;
}

/* As many clients as there are descriptors, less some for ourselves. */
static unsigned count_clients(void) {
    struct rlimit limit;
    enum { OURS = 64, MOST = 10000 };
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return MOST;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > MOST + OURS ? MOST : (unsigned)limit.rlim_cur - OURS;
}

/* ---- start and end ---- */

static k42_result start(struct kv_server *server, const struct options *options) {
    uint64_t seed = 0;
    char why[256] = "";
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        return -errno;
    kv_hash_seed(seed);
    k42_result result = kv_store_init(&server->store, options->table, "eviction.lru");
    if (result < 0) {
        fprintf(stderr, "kv: cannot make the store with table class %s: %s\n", options->table,
                k42_error_name(result));
        return result;
    }
    server->store.maxmemory = options->maxmemory;
    result = kv_set_policy(server, options->policy, why, sizeof(why));
    if (result < 0)
        fprintf(stderr, "kv: --maxmemory-policy %s: %s\n", options->policy, why);
    return result < 0 ? result : kv_start_workers(server);
}

static void serve_until_signal(struct kv_server *server, const struct options *options,
                               const sigset_t *signals) {
    int received;
    if (options->unix_path)
        printf("kv: ready on %s, %u threads\n", options->unix_path, server->worker_count);
    else
        printf("kv: ready on %s:%d, %u threads\n", options->bind, server->port,
               server->worker_count);
    fflush(stdout);
    sigwait(signals, &received);
}

/* Takes everything down. Returns the process's status: whether nothing was left. */
static int end(struct kv_server *server) {
    kv_stop_workers(server);
    if (server->latency.placed)
        (void)kv_latency_stop(&server->latency);
    k42_result destroyed = kv_store_fini(&server->store);
    k42_result waited = k42_synchronize();
    k42_result flushed = k42_defer_flush();
    kv_unload_components(server);
    k42_result ended = k42_shutdown();
    close(server->listener);
    if (destroyed < 0 || waited < 0 || flushed < 0 || ended < 0) {
        fprintf(stderr, "kv: not a clean end: %s, %s, %s, %s\n", k42_error_name(destroyed),
                k42_error_name(waited), k42_error_name(flushed), k42_error_name(ended));
        return EXIT_FAILURE;
    }
    printf("kv: ended cleanly\n");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    static struct kv_server server = {.admin = PTHREAD_MUTEX_INITIALIZER};
    struct options options = {
        .bind = "127.0.0.1",
        .table = "table.chained",
        .policy = "noeviction",
        .port = 6379,
        .threads = 2,
    };
    sigset_t signals;
    if (read_options(argc, argv, &options) < 0)
        return 2;
    /* Blocked before any thread starts, so that only sigwait() sees them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    server.worker_count = options.threads;
    server.clients_limit = count_clients();
    server.started_ms = kv_now().wall_ms;
    if (open_listener(&server, &options) < 0)
        return EXIT_FAILURE;
    k42_result started = k42_init(NULL);
    if (started == 0)
        started = start(&server, &options);
    if (started < 0) {
        fprintf(stderr, "kv: cannot start: %s\n", k42_error_name(started));
        return EXIT_FAILURE;
    }
    serve_until_signal(&server, &options, &signals);
    int status = end(&server);
    if (options.unix_path)
        unlink(options.unix_path);
    return status;
}
