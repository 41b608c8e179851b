// Templates of containers.

#include "agent/kinds/guests/guest_template.h"

#include "agent/kinds/guests/templates.h"
#include "tests/support/must.h"
#include "tests/support/sim_pve.h"

namespace relab::agent::guests {

namespace {

const std::string old_file = "debian-12-standard_12.2-1_amd64.tar.zst";
const std::string new_file = "debian-12-standard_12.12-1_amd64.tar.zst";
const std::string digest(128, 'a');
const std::string other(128, 'b');

struct Scene {
  SimHost host;
  SimPve pve;

  Scene() {
    pve.offered = {{old_file, other}, {new_file, digest}};
    pve.install(host);
  }
  Result<std::vector<Change>> plan(const std::string& more = "") {
    const auto params = must(
        Message<schema::GuestTemplate>::from_json(R"({"name": "debian-12-standard")" + more + "}"));
    RELAB_TRY(const auto facts, GuestTemplate::observe(params.reader(), host));
    return GuestTemplate::plan(params.reader(), facts.reader());
  }
  std::string word(const std::string& more = "") {
    const auto changes = must(plan(more));
    return changes.empty() ? "" : changes.at(0).what;
  }
  Result<void> apply(const std::string& more = "") {
    RELAB_TRY(const auto changes, plan(more));
    for (const auto& change : changes) RELAB_CHECK(GuestTemplate::apply(change, host));
    return {};
  }
};

}  // namespace

TEST_CASE("guest_template: brings the newest one, also where an older one is", "[agent][guests]") {
  Scene scene;
  if (GENERATE(true, false)) scene.pve.templates = {{old_file, other}};
  CHECK(scene.word() == "+ template " + new_file + " on the storage 'local'");

  must(scene.apply());

  CHECK(scene.pve.templates.contains(new_file));
  CHECK(scene.word().empty());
}

TEST_CASE("guest_template: an index that is not renewed is taken as it is, and told of",
          "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  CHECK(scene.host.remarks().empty());
  scene.pve.templates.clear();
  scene.pve.update_fails = true;

  must(scene.apply());

  CHECK(scene.pve.templates.contains(new_file));
  CHECK(scene.host.remarks() ==
        std::vector<std::string>{
            "Proxmox could not renew its index of templates, the one from before was taken: "
            "update failed - see /var/log/pveam.log for details"});
}

TEST_CASE("guest_template: a download that did nothing is no success", "[agent][guests]") {
  Scene scene;
  scene.pve.download_does_nothing = true;

  const auto done = scene.apply();

  REQUIRE_FALSE(done);
  CHECK(done.error().what ==
        "pveam did not download " + new_file + " to the storage 'local': download failed: 404");
}

TEST_CASE("guest_template: a file with other content is not taken", "[agent][guests]") {
  Scene scene;
  scene.pve.templates = {{new_file, other}};

  const auto changes = scene.plan();

  REQUIRE_FALSE(changes);
  CHECK(changes.error().fault == Fault::refused);
  CHECK_THAT(changes.error().what, Catch::Contains("is not what Proxmox's index tells"));
  CHECK(scene.word(R"(, "sha512": ")" + other + "\"").empty());
}

TEST_CASE("guest_template: what nobody vouches for is not taken", "[agent][guests]") {
  Scene scene;
  scene.pve.offered = {};
  scene.pve.write_index();
  scene.pve.templates = {{new_file, digest}};

  CHECK(scene.word() == "ask Proxmox's index what " + new_file + " must be");
  const auto done = scene.apply();
  REQUIRE_FALSE(done);
  CHECK(done.error().fault == Fault::missing);
  CHECK(scene.word(R"(, "sha512": ")" + digest + "\"").empty());
}

TEST_CASE("templates: numbers in names count as numbers", "[agent][guests]") {
  CHECK(is_older(old_file, new_file));
  CHECK_FALSE(is_older(new_file, old_file));
  CHECK_FALSE(is_older(new_file, new_file));
  CHECK(is_older("a_1.02", "a_1.3"));
  CHECK(is_older("debian-12-standard_12.12-1", "debian-12-standard_12.12-10"));
}

TEST_CASE("templates: an index is records of lines", "[agent][guests]") {
  const auto all = parse_template_index(
      "Package: x\nLocation: system/x_1.tar.zst\nsha512sum: 12\nDescription: y\n Location: no\n\n\n"
      "Package: without place\n\nLocation: https://host/y_2.tar.gz\n");

  REQUIRE(all.size() == 2);
  CHECK(all[0].file == "x_1.tar.zst");
  CHECK(all[0].sha512 == "12");
  CHECK(all[1].file == "y_2.tar.gz");
  CHECK(all[1].sha512.empty());
}

}  // namespace relab::agent::guests
