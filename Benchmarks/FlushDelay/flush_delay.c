/* Makes every flush to disk take FLUSH_DELAY_US microseconds longer, as a slower disk would.
 * Loaded with LD_PRELOAD by `bench flush`, into the server and into what it is compared with. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

typedef int (*flush_function)(int);

static void wait_as_configured(void) {
    const char *text = getenv("FLUSH_DELAY_US");
    long microseconds = text == NULL ? 0 : atol(text);
    struct timespec left = {microseconds / 1000000, (microseconds % 1000000) * 1000};
    while (microseconds > 0 && nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

int fdatasync(int descriptor) {
    flush_function real = (flush_function)dlsym(RTLD_NEXT, "fdatasync");
    wait_as_configured();
    return real(descriptor);
}

int fsync(int descriptor) {
    flush_function real = (flush_function)dlsym(RTLD_NEXT, "fsync");
    wait_as_configured();
    return real(descriptor);
}
