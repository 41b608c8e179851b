// Links in an archive that lead to what is not in it.

#include "agent/kinds/archive/leads.h"

#include <algorithm>

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"

namespace relab::agent::archive {

namespace {

using Leads = std::vector<std::pair<std::string, std::string>>;

Entry link(const std::string& path, const std::string& target) {
  return {.path = path, .type = "link", .target = target};
}

Leads leads(Host& host, const Source& source, const std::vector<Entry>& entries) {
  Leads told;
  for (auto& lead : must(leads_of(host, source, entries)))
    told.emplace_back(lead.path, lead.target);
  return told;
}

}  // namespace

TEST_CASE("leads: of this machine, with every link on the way", "[agent][archive]") {
  SimHost host;
  host.file("/opt/hook", "#!/bin/sh\n");
  host.file("/usr/share/zoneinfo/UTC", "TZif2");
  host.file("/usr/local/sbin/own", "#!/bin/sh\n");
  host.file("/etc/app/cache/big", "left out");
  host.file("/etc/network/interfaces", "auto vmbr0\n");
  host.file("/root/deep", "1");
  host.link("/srv/there", "/root");
  const Source source = {.paths = {"/etc/app", "/etc/network"}, .exclude = {"/etc/app/cache"}};

  CHECK(leads(host, source,
              {{.path = "/etc/app/file", .type = "file", .target = "/opt/hook"},
               link("/etc/app/hook", "/opt/hook"),
               link("/etc/app/up", "../../opt/hook"),
               link("/etc/app/over", "/srv/there/deep"),
               link("/etc/app/left", "cache/big"),
               link("/etc/app/own", "/usr/local/sbin/own")}) ==
        Leads{{"/etc/app/hook", "/opt/hook"},
              {"/etc/app/up", "/opt/hook"},
              {"/etc/app/over", "/root/deep"},
              {"/etc/app/left", "/etc/app/cache/big"},
              {"/etc/app/own", "/usr/local/sbin/own"}});
  CHECK(leads(host, source,
              {link("/etc/app/inner", "../network/interfaces"),
               link("/etc/app/zone", "/usr/share/zoneinfo/UTC"), link("/etc/app/null", "/dev/null"),
               link("/etc/app/nowhere", "/opt/none")})
            .empty());
}

TEST_CASE("leads: of a container, as the container sees it", "[agent][archive]") {
  SimHost host;
  int status = 1;
  std::string places = "/data/app\n";
  host.program("pct", [&](const Command& command) {
    const auto asks = [&](const char* word) { return std::ranges::count(command.argv, word) != 0; };
    if (asks("stat"))
      return Output{.status = status, .out = "/srv/app\n", .err = "stat: no /srv/none\n"};
    CHECK(asks("--canonicalize-missing"));
    return Output{.out = places};
  });
  const Source source = {.vmid = 110, .paths = {"/etc/app"}};
  const std::vector<Entry> entries = {link("/etc/app/a", "/srv/app"),
                                      link("/etc/app/n", "/srv/none")};

  CHECK(leads(host, source, entries) == Leads{{"/etc/app/a", "/data/app"}});

  places = "/data/app\n/more\n";
  CHECK(leads_of(host, source, entries).error().fault == Fault::damaged);
  status = 0;
  CHECK(leads_of(host, source, entries).error().fault == Fault::damaged);
}

}  // namespace relab::agent::archive
