// Runs a command under the system call filters of a unit, as systemd.exec(5) describes them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "This machine's architecture is not known here."
#endif

// `names.h` is written by unit-confinement.ts from the unit's own lines.
static const int allowed[] = {
#include "names.h"
};
static const int families[] = {
#include "families.h"
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
// The lower half of an argument; both architectures above are little-endian.
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

static struct sock_filter lines[4096];
static unsigned short length;

static void add(uint16_t code, uint32_t value, uint8_t yes, uint8_t no) {
  lines[length++] = (struct sock_filter){code, yes, no, value};
}
static void load(uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0); }
static void refuse(int error) { add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error, 0, 0); }
static void allow(void) { add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0); }
static void unless(uint32_t value, uint8_t skipped) {
  add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

static void install(void) {
  struct sock_fprog program = {length, lines};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) perror("seccomp"), _exit(126);
  length = 0;
}

// SystemCallArchitectures=native, SystemCallFilter= and SystemCallErrorNumber=EPERM.
static void calls(void) {
  load(offsetof(struct seccomp_data, arch));
  add(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0);
  refuse(EPERM);
  load(offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < COUNT(allowed); i++) {
    unless(allowed[i], 1);
    allow();
  }
  refuse(EPERM);
  install();
}

// Refuses a call in one of whose arguments one of these bits is set.
static void no_bits(int call, int argument, uint32_t bits) {
  load(offsetof(struct seccomp_data, nr));
  unless(call, 4);
  load(ARGUMENT(argument));
  add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
  refuse(EPERM);
  allow();
}

// RestrictSUIDSGID=yes
static void modes(void) {
  const uint32_t bits = S_ISUID | S_ISGID;
  no_bits(SYS_fchmod, 1, bits);
  no_bits(SYS_fchmodat, 2, bits);
  no_bits(SYS_mkdirat, 2, bits);
  no_bits(SYS_mknodat, 2, bits);
#ifdef SYS_chmod
  no_bits(SYS_chmod, 1, bits);
  no_bits(SYS_mkdir, 1, bits);
  no_bits(SYS_mknod, 1, bits);
  no_bits(SYS_creat, 1, bits);
#endif
  allow();
  install();
}

// RestrictNamespaces=yes; clone3 hides its flags from a filter, so that libc has to use clone.
static void spaces(void) {
  const uint32_t bits = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS |
                        CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS;
  no_bits(SYS_clone, 0, bits);
  no_bits(SYS_unshare, 0, bits);
  load(offsetof(struct seccomp_data, nr));
  unless(SYS_clone3, 1);
  refuse(ENOSYS);
  unless(SYS_setns, 1);
  refuse(EPERM);
  allow();
  install();
}

// RestrictAddressFamilies=
static void sockets(void) {
  load(offsetof(struct seccomp_data, nr));
  add(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0);
  allow();
  load(ARGUMENT(0));
  for (size_t i = 0; i < COUNT(families); i++) {
    unless(families[i], 1);
    allow();
  }
  refuse(EAFNOSUPPORT);
  install();
}

int main(int count, char **words) {
  if (count < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 126;
  modes();
  spaces();
  sockets();
  // The last one: it need not let the others be installed.
  calls();
  execvp(words[1], words + 1);
  perror(words[1]);
  return 127;
}
