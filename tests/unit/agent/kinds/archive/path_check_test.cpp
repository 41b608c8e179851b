// Where paths that must not be lost really lie.

#include "agent/kinds/archive/path_check.h"

#include "tests/support/must.h"
#include "tests/support/sample.h"
#include "tests/support/sim_guest.h"

namespace relab::agent::archive {

namespace {

std::vector<std::pair<std::string, std::string>> look(SimHost& host, const std::string& params) {
  const auto task = must(Message<schema::PathCheck>::from_json(params));
  const auto facts = must(PathCheck::observe(task.reader(), host));
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto place : facts.reader().getPlaces())
    found.emplace_back(str(place.getReal()), str(place.getWhy()));
  return found;
}

}  // namespace

TEST_CASE("path_check: follows every link of the machine", "[agent][archive]") {
  SimHost host;
  host.file("/root/photos/one.jpg", "x");
  host.directory("/tank");
  host.link("/tank/photos", "/root/photos");

  const auto found = look(host, R"({"paths": [{"path": "/tank/photos/one.jpg"}, {"path": "/tank"},
                                              {"path": "/tank/typo"}]})");

  REQUIRE(found.size() == 3);
  CHECK(found[0].first == "/root/photos/one.jpg");
  CHECK(found[0].second.empty());
  CHECK(found[1].first == "/tank");
  CHECK(found[2].first.empty());
  CHECK_THAT(found[2].second, Catch::Contains("/tank/typo"));
}

TEST_CASE("path_check: follows the links of a container within it", "[agent][archive]") {
  SimHost host;
  host.link("/etc/pve/local", "nodes/pve");
  mount(host, {"/"});
  host.file("/etc/pve/nodes/pve/lxc/130.conf",
            "hostname: sonarr\nrootfs: local-zfs:subvol-130-disk-0,size=12G\n"
            "mp0: /tank/app,mp=/data\n");
  host.answer("pvesh get /nodes/localhost/lxc --output-format json",
              {.out = R"([{"vmid": 130, "status": "running"}])"});
  host.answer("pvesm path local-zfs:subvol-130-disk-0", {.out = "/rpool/subvol\n"});
  host.file("/rpool/subvol/srv/real/file", "x");
  host.directory("/tank/app");
  host.link("/tank/app/link", "/srv/real");

  const auto found =
      look(host, R"({"paths": [{"path": "/data/link", "vmid": 130}, {"path": "/data", "vmid": 130},
                               {"path": "/data", "vmid": 131}]})");

  REQUIRE(found.size() == 3);
  CHECK(found[0].first == "/rpool/subvol/srv/real");
  CHECK(found[1].first == "/tank/app");
  CHECK(found[2].second == "no container 131 of this host can be looked into");
}

TEST_CASE("path_check: a look at nothing is an error", "[agent][archive]") {
  SimHost host;
  const auto task = must(Message<schema::PathCheck>::from_json("{}"));

  const auto facts = PathCheck::observe(task.reader(), host);

  REQUIRE_FALSE(facts);
  CHECK(facts.error().fault == Fault::invalid);
}

}  // namespace relab::agent::archive
