/// The controller's process: the command line and the last net under it.

#include <cstdio>
#include <exception>

#include "common/crypto/secret.h"
#include "controller/cli/cli.h"

int main(int argc, char** argv) try {
  relab::crypto::protect_process();
  return relab::controller::run_cli({argv + 1, argv + argc});
} catch (const std::exception& exception) {
  std::fprintf(stderr, "relab: internal error: %s\n", exception.what());
  return 1;
}
