// LD_PRELOAD library for crash tests: the k-th file-system call below a folder fails, is cut short, or is the
// moment at which the process is killed or gets a signal.
//
//   FAULT_PREFIX  absolute path; calls on paths and descriptors below it count
//   FAULT_CALLS   which calls count, e.g. "write,fsync"; unset: all
//   FAULT_AT      k, from 1; 0: only count
//   FAULT_KIND    enospc eio edquot eintr | short (half of a write) | kill (before the call) | tear (half of a
//                 write, then kill) | a signal number, raised before the call
//   FAULT_STICKY  1: every later call fails, too (a disk that stays full)
//   FAULT_FREE    bytes that are said to be free there
//   FAULT_COUNT   file to which the number of calls is written at exit
//
// Only calls that our own code and libstdc++ make through the dynamic linker are seen.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

static int count = 0;

static int below(const char* path) {
  const char* prefix = getenv("FAULT_PREFIX");
  return prefix && path && strncmp(path, prefix, strlen(prefix)) == 0;
}

static int below_fd(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = '\0';
  return below(path);
}

static int counts(const char* call) {
  const char* calls = getenv("FAULT_CALLS");
  if (!calls || !*calls) return 1;
  const char* at = strstr(calls, call);
  return at && (at == calls || at[-1] == ',') && (at[strlen(call)] == ',' || at[strlen(call)] == '\0');
}

// 0: go on; -1: fail with errno; 1: do half of it, 2: do half of it and die.
static int fault(const char* call, int is_below) {
  if (!is_below || !counts(call)) return 0;
  const int number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
  const char* at = getenv("FAULT_AT");
  const char* kind = getenv("FAULT_KIND");
  const char* sticky = getenv("FAULT_STICKY");
  const int k = at ? atoi(at) : 0;
  if (k <= 0 || !kind || !(number == k || (number > k && sticky && *sticky == '1'))) return 0;
  if (!strcmp(kind, "enospc")) return errno = ENOSPC, -1;
  if (!strcmp(kind, "eio")) return errno = EIO, -1;
  if (!strcmp(kind, "edquot")) return errno = EDQUOT, -1;
  if (!strcmp(kind, "eintr")) return errno = EINTR, -1;
  if (!strcmp(kind, "short")) return 1;
  if (!strcmp(kind, "tear") && !strcmp(call, "write")) return 2;
  if (!strcmp(kind, "kill") || !strcmp(kind, "tear")) kill(getpid(), SIGKILL);
  if (atoi(kind) > 0) kill(getpid(), atoi(kind));
  return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int open_any(int (*real)(const char*, int, ...), const char* path, int flags, mode_t mode) {
  if (fault("open", below(path)) < 0) return -1;
  return real(path, flags, mode);
}

int open(const char* path, int flags, ...) {
  va_list args;
  va_start(args, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(args, mode_t) : 0;
  va_end(args);
  return open_any((int (*)(const char*, int, ...))dlsym(RTLD_NEXT, "open"), path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list args;
  va_start(args, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(args, mode_t) : 0;
  va_end(args);
  return open_any((int (*)(const char*, int, ...))dlsym(RTLD_NEXT, "open64"), path, flags, mode);
}

ssize_t write(int fd, const void* data, size_t size) {
  const int f = fault("write", below_fd(fd));
  if (f < 0) return -1;
  const ssize_t n = REAL(write)(fd, data, f > 0 && size > 1 ? size / 2 : size);
  if (f == 2) kill(getpid(), SIGKILL);
  return n;
}

int fsync(int fd) { return fault("fsync", below_fd(fd)) < 0 ? -1 : REAL(fsync)(fd); }

int close(int fd) {
  const int f = fault("close", below_fd(fd));
  const int saved = errno;
  const int rc = REAL(close)(fd);  // the descriptor is gone in any case, as on Linux
  if (f >= 0) return rc;
  errno = saved;
  return -1;
}

int rename(const char* from, const char* to) {
  return fault("rename", below(from)) < 0 ? -1 : REAL(rename)(from, to);
}

int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  return fault("rename", below(from)) < 0 ? -1 : REAL(renameat2)(from_dir, from, to_dir, to, flags);
}

int mkdir(const char* path, mode_t mode) { return fault("mkdir", below(path)) < 0 ? -1 : REAL(mkdir)(path, mode); }

int unlink(const char* path) { return fault("unlink", below(path)) < 0 ? -1 : REAL(unlink)(path); }

int unlinkat(int dir, const char* path, int flags) {
  return fault("unlink", below_fd(dir) || below(path)) < 0 ? -1 : REAL(unlinkat)(dir, path, flags);
}

int ftruncate(int fd, off_t size) { return fault("ftruncate", below_fd(fd)) < 0 ? -1 : REAL(ftruncate)(fd, size); }

int statvfs(const char* path, struct statvfs* info) {
  const int rc = REAL(statvfs)(path, info);
  const char* bytes = getenv("FAULT_FREE");
  if (rc == 0 && bytes && below(path)) info->f_bavail = strtoull(bytes, NULL, 10) / info->f_frsize;
  return rc;
}

__attribute__((destructor)) static void report(void) {
  const char* path = getenv("FAULT_COUNT");
  if (!path) return;
  FILE* file = fopen(path, "w");
  if (!file) return;
  fprintf(file, "%d\n", count);
  fclose(file);
}
