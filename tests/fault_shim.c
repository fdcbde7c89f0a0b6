// Faults of the machine under a real program, for service_faults_test.py: loaded before the C library (LD_PRELOAD). While the folder
// $EVERLEARN_FAULTS holds a file `sync_fails`, every fsync and fdatasync fails with EIO; a file `clock` holds seconds by which the wall
// clock is wrong.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static FILE* Open(const char* name) {
  const char* folder = getenv("EVERLEARN_FAULTS");
  char path[4096];
  if (folder == NULL || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return NULL;
  return fopen(path, "r");
}

static int Sync(const char* function, int file) {
  FILE* fault = Open("sync_fails");
  if (fault != NULL) {
    fclose(fault);
    errno = EIO;
    return -1;
  }
  return ((int (*)(int))dlsym(RTLD_NEXT, function))(file);
}

int fsync(int file) { return Sync("fsync", file); }
int fdatasync(int file) { return Sync("fdatasync", file); }

int clock_gettime(clockid_t clock, struct timespec* time) {
  const int code = ((int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime"))(clock, time);
  if (code != 0 || clock != CLOCK_REALTIME) return code;
  FILE* fault = Open("clock");
  if (fault == NULL) return code;
  long seconds = 0;
  if (fscanf(fault, "%ld", &seconds) == 1) time->tv_sec += seconds;
  fclose(fault);
  return code;
}
