/// The agent's process: the command line and the last net under it.

#include <cstdio>
#include <exception>
#include <malloc.h>

#include "agent/cli/cli.h"
#include "common/crypto/secret.h"

int main(int argc, char** argv) try {
  relab::crypto::protect_process();
  // A small agent: a heap for each thread would keep what every task once used.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  return relab::agent::run_cli({argv + 1, argv + argc});
} catch (const std::exception& exception) {
  std::fprintf(stderr, "relab-agent: internal error: %s\n", exception.what());
  return relab::agent::as_asked({argv + 1, argv + argc}, 1);
}
