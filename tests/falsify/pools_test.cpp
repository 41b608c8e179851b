// A copy in a second pool: what is false about it, its pool and its disk.

#include "tests/falsify/scene.h"
#include "tests/support/sim_pools.h"

namespace relab::falsify {

namespace {

/// With a good copy in the pool of the USB disk, that was taken away, brought back, scrubbed,
/// opened and compared.
class PoolBench : public Bench {
 public:
  PoolBench() {
    pool.snapshot_all("pre");
    pool.install(host);
    second.install(host);
    audit();
    must_run("zfsPoolBackup", params());
    must_run("zfsPoolBackupVerify", params(verification));
    REQUIRE(gate().open);
  }

  static std::string params(const std::string& more = "") {
    return R"({"dataset": "datapool", "snapshot": "pre", "target": "usbpool/copy")" + more + "}";
  }
  agent::Work verify() { return run("zfsPoolBackupVerify", params(verification)); }
  agent::zfs::Node& node(const std::string& name) {
    const auto found = std::ranges::find(second.nodes(), name, &agent::zfs::Node::name);
    REQUIRE(found != second.nodes().end());
    return *found;
  }

  std::uint64_t living(const std::string& name) const {
    const auto nodes = pool.nodes();
    const auto found = std::ranges::find(nodes, name, &agent::zfs::Node::name);
    REQUIRE(found != nodes.end());
    return found->guid;
  }

  agent::SimPools second = agent::SimPools(pool);
  std::string verification = R"(, "key": "datapool-key")";
};

using B = PoolBench&;

Way<PoolBench> drilled(const std::string& name, const std::string& says,
                       std::function<void(PoolBench&)> lie) {
  return {.name = name, .says = says, .lie = std::move(lie), .condition = "backup.drilled"};
}

}  // namespace

TEST_CASE("falsify: a copy in a pool that is not what was written", "[falsify]") {
  try_all<PoolBench>({
      {"another snapshot of the same name", "is another snapshot than datapool/documents@pre",
       [](B bench) { bench.node("usbpool/copy/documents@pre").guid += 1; }},
      {"a snapshot is gone", "there is no complete copy",
       [](B bench) { bench.second.destroy("usbpool/copy/documents@pre"); }},
      {"an older snapshot is gone", "lacks older ones",
       [](B bench) { bench.second.destroy("usbpool/copy/documents@daily"); }},
      {"a dataset is gone", "there is no complete copy",
       [](B bench) {
         for (const auto* end : {"", "@daily", "@pre"})
           bench.second.destroy(std::string("usbpool/copy/media") + end);
       }},
      {"all of it is gone", "there is no complete copy",
       [](B bench) {
         std::erase_if(bench.second.nodes(),
                       [](const auto& node) { return node.name.starts_with("usbpool/copy"); });
       }},
      {"it was decrypted, and has the same GUIDs", "is not encrypted, unlike",
       [](B bench) {
         for (auto& node : bench.second.nodes()) node.encrypted = false;
       }},
      {"a dataset of somebody else in it", "usbpool/copy/foreign has no original",
       [](B bench) { bench.second.make("usbpool/copy/foreign", true); }},
      {"what a drill left is in it", "is of a drill",
       [](B bench) {
         bench.second.make("usbpool/copy/relab-drill", true);
         bench.node("usbpool/copy/relab-drill").scratch = true;
       }},
      {"a dataset that was made since", "datapool/new has no snapshot 'pre'",
       [](B bench) { bench.pool.make("datapool/new"); }},
      {"the living pool is another one", "another pool",
       [](B bench) { bench.pool.pool_guid = 7002; }},
      {"an attempt to write it anew failed", "did not succeed",
       [](B bench) {
         bench.second.destroy("usbpool/copy/media@pre");
         bench.second.receiver = {.status = 1, .err = "cannot receive: out of space\n"};
         bench.second.sender = {.status = 1};
         CHECK(bench.run("zfsPoolBackup", PoolBench::params()).outcome == schema::Outcome::FAILED);
         bench.second.snapshot("usbpool/copy/media@pre", bench.living("datapool/media@pre"));
       }},
  });
}

TEST_CASE("falsify: the pool or the disk of a copy", "[falsify]") {
  try_all<PoolBench>({
      {"the pool is degraded", "DEGRADED", [](B bench) { bench.second.health = "DEGRADED"; }},
      {"the scrub finds a damaged block", "error", [](B bench) { bench.second.errors = 1; }},
      {"the pool is exported", "is not imported", [](B bench) { bench.second.imported = false; }},
      {"it cannot be exported", "pool is busy",
       [](B bench) { bench.second.cannot_export = "cannot export: pool is busy\n"; }},
      {"it does not come back", "one or more devices is currently unavailable",
       [](B bench) {
         bench.second.cannot_import = "one or more devices is currently unavailable\n";
       }},
      {"another one comes back under its name", "another pool",
       [](B bench) { bench.second.comes_back = 8002; }},
      {"another pool of the same name", "are not those that were written",
       [](B bench) { bench.second.guid = bench.second.comes_back = 8002; }},
      {"another disk", "the disk USB2, which lab.toml does not know",
       [](B bench) { bench.second.serial = "USB2"; }},
      {"the disk that is to be installed on", "the copy lies on os1 (OS1)",
       [](B bench) { bench.second.serial = "OS1"; }},
      {"a disk of the pool that was copied", "the copy lies on data1 (DATA1)",
       [](B bench) { bench.second.serial = "DATA1"; }},
      {"a disk without a serial number", "told no serial number",
       [](B bench) { bench.second.serial = ""; }},
  });
}

TEST_CASE("falsify: a copy in a pool that does not open, or not to what it was", "[falsify]") {
  try_all<PoolBench>({
      drilled("nobody wanted it opened", "it was not opened for practice",
              [](B bench) { bench.verification = R"(, "drill": false)"; }),
      drilled("no key is named", "no key is named", [](B bench) { bench.verification = ""; }),
      drilled("a key that does not open it", "Incorrect key provided",
              [](B bench) { bench.second.key = "another"; }),
      drilled("a file has other bytes", "letter.txt (its bytes)",
              [](B bench) { bench.second.copied_letter = "derr"; }),
      drilled("the living pool is locked", "its key is not loaded",
              [](B bench) { bench.pool.key_loaded = false; }),
  });
}

}  // namespace relab::falsify
