/// The agent's process: the command line and the last net under it.

#include <cstdio>
#include <exception>

#include "agent/cli/cli.h"
#include "common/crypto/secret.h"

int main(int argc, char** argv) try {
  relab::crypto::protect_process();
  return relab::agent::run_cli({argv + 1, argv + argc});
} catch (const std::exception& exception) {
  std::fprintf(stderr, "relab-agent: internal error: %s\n", exception.what());
  return 1;
}
