#include "agent/host/no_program.h"

#include "agent/host/real_host.h"
#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"

namespace relab::agent {

TEST_CASE("no program: of what relab only recommends the package is named", "[agent][host]") {
  CHECK(no_program("dig").what == "no dig on this machine");
  CHECK(no_program("dig").hint ==
        "install Debian's package bind9-dnsutils; agent_install does so with the agent where the "
        "folder of packages has it");
  CHECK_THAT(no_program("curl").hint, Catch::Contains("package curl"));
  CHECK_THAT(no_program("gpg").hint, Catch::Contains("package gpg"));
  CHECK(no_program("zpool").hint.empty());
}

TEST_CASE("no program: real and simulated machines say it alike", "[agent][host]") {
  RealHost real;
  SimHost simulated;

  CHECK(real.run({.argv = {"relab-none"}}).error().what == "no relab-none on this machine");
  CHECK(simulated.run({.argv = {"relab-none"}}).error().what == "no relab-none on this machine");
  CHECK(simulated.run({.argv = {"dig"}}).error().hint == no_program("dig").hint);
}

}  // namespace relab::agent
