#pragma once

/// A pool that was copied by the agent's own code, on a simulated machine, and what the controller
/// says of the gate once the agent has looked at the copy: the whole way from bytes on a disk to a
/// gate, but for the wire.

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>

#include "agent/kinds/carry_out.h"
#include "agent/kinds/zfs/manifest.h"
#include "common/wire/dsse.h"
#include "controller/gates/gate.h"
#include "tests/support/records.h"
#include "tests/support/sim_drill.h"

namespace relab::falsify {

inline constexpr auto stream_file = "/mnt/usb/copy.zfs";
inline constexpr auto manifest_file = "/mnt/usb/copy.manifest";
inline constexpr auto signature_file = "/mnt/usb/copy.manifest.dsse";

inline constexpr auto the_lab = R"({"name": "home", "hosts": [{"name": "pve"}],
  "disks": [{"name": "os1", "serial": "OS1", "role": "os"},
            {"name": "data1", "serial": "DATA1", "role": "data"},
            {"name": "usb1", "serial": "USB1", "role": "backup"}],
  "pools": [{"name": "rpool", "disks": ["os1"]},
            {"name": "datapool", "disks": ["data1"], "encrypted": true}],
  "plan": {"phases": [
    {"name": "0b", "tracks": [{"name": "t", "agent": "pve", "steps": [
      {"name": "verify", "task": {"zfsBackupVerify": {"dataset": "datapool"}}}]}]},
    {"name": "1", "tracks": [{"name": "t", "agent": "pve", "steps": [
      {"name": "go", "task": {"ping": {}}}]}],
     "gate": [{"name": "backup.verified"}, {"name": "backup.drilled"}]}]}})";

/// The machine, its agent, and the ledger that has heard of them.
class Bench {
 public:
  Bench() { records.enrol("pve", agent_keys); }

  /// Orders the task and does it as the agent would; the ledger has the signed report.
  agent::Work run(const std::string& arm, const std::string& params, agent::Host& hands) {
    const auto task = next_task();
    records.order({.task = task, .arm = arm, .step = "0b/t/" + arm, .params = params}, agent_keys);
    auto work = agent::carry_out(records.state.tasks().at(task).order.reader(),
                                 {.host = hands, .rescue = host},
                                 [](const auto&) { return Result<void>(); });
    report_of_last({.outcome = work.outcome,
                    .facts = work.facts ? work.facts->to_json() : "",
                    .machine_id = machine_id,
                    .failure = work.failure.what,
                    .changes = work.changes});
    records.now += std::chrono::seconds(1);
    return work;
  }
  agent::Work run(const std::string& arm, const std::string& params) {
    return run(arm, params, host);
  }
  agent::Work must_run(const std::string& arm, const std::string& params) {
    auto work = run(arm, params);
    INFO(work.failure.what);
    REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
    return work;
  }
  void audit(const std::string& name = "datapool", const std::string& guid = "7001") {
    records.order({.task = next_task(), .arm = "auditZfs"}, agent_keys);
    report_of_last(
        {.facts = fmt::format(
             R"({{"auditZfs": {{"coverage": {{}}, "pools": [{{"name": "{}", "guid": "{}"}}]}}}})",
             name, guid)});
  }
  /// What the agent says of the last order.
  void report_of_last(controller::ReportParts parts) {
    parts.task = last_task();
    const auto envelope = records.report_envelope(parts, agent_keys);
    const auto bytes = envelope.bytes();
    last_report_ = Bytes(bytes.begin(), bytes.end());
    must(records.receive(last_report_));
  }
  TaskId last_task() const { return controller::task_number(last_); }
  const Bytes& last_report() const { return last_report_; }

  controller::Gate gate() const {
    const auto lab = must(Message<schema::Lab>::from_json(the_lab));
    return must(controller::judge_entry(
        "1", {.lab = lab.reader(),
              .state = records.state,
              .now = records.now,
              .secrets = {{"datapool-key", controller::the_secrets_since}}}));
  }
  /// Why that condition keeps the gate shut; empty: it does not.
  std::string concern(const std::string& condition) const {
    const auto gate = this->gate();
    std::string whys;
    for (const auto& verdict : gate.verdicts)
      for (const auto& finding : verdict.findings)
        if (verdict.condition == condition && !finding.met()) whys += finding.why + "\n";
    return whys;
  }

  agent::SimHost host;
  agent::SimZfs pool;
  controller::Records records;
  /// Those that the simulated machine signs with.
  crypto::Keys agent_keys = controller::fixed_keys(7);
  /// That the agent tells.
  std::string machine_id = controller::ReportParts().machine_id;

 private:
  TaskId next_task() { return controller::task_number(++last_); }

  std::uint8_t last_ = 0;
  Bytes last_report_;
};

/// With a good copy in a file on the USB disk, that was read back, received and compared.
class FileBench : public Bench {
 public:
  FileBench() {
    pool.snapshot_all("pre");
    pool.install(host);
    agent::add_usb_disk(host);
    scratch.install(host);
    audit();
    must_run("zfsBackup", params());
    stream = must(host.read_file(stream_file));
    manifest = must(host.read_file(manifest_file));
    good_facts = must_run("zfsBackupVerify", verify_params()).facts->to_json();
    good_report = last_report();
    REQUIRE(gate().open);
  }

  static std::string params(const std::string& more = "") {
    return R"({"dataset": "datapool", "snapshot": "pre", "folder": "/mnt/usb", "name": "copy")" +
           more + "}";
  }
  std::string verify_params() const { return params(verification); }
  agent::Work verify() { return run("zfsBackupVerify", verify_params()); }

  /// The same stream under another manifest, which the agent's own key has signed.
  void tell(const std::string& text) {
    host.file(manifest_file, text);
    sign_with(agent_keys, text);
  }
  void tell(const nlohmann::json& changes) {
    auto told = nlohmann::json::parse(manifest);
    told.update(changes);
    tell(told.dump());
  }
  void sign_with(const crypto::Keys& keys, const std::string& text,
                 std::string_view type = agent::zfs::manifest_payload) {
    host.file(signature_file, to_dsse(sign_payload(keys, type, bytes_of(text)).reader()).dump());
  }
  /// Another stream, and a manifest that has all its digests right, signed by the agent's own key.
  void pass_off(const std::string& other) {
    host.file(stream_file, other);
    crypto::ChunkDigests digests;
    digests.add(bytes_of(other));
    digests.finish();
    auto chunks = nlohmann::json::array();
    for (const auto& chunk : digests.chunks()) chunks.push_back(hex(chunk));
    tell({{"bytes", std::to_string(other.size())},
          {"digest", hex(digests.whole())},
          {"chunks", chunks}});
  }

  agent::SimDrill scratch = agent::SimDrill(pool);
  /// What a verification is asked for beside the copy.
  std::string verification = R"(, "key": "datapool-key")";
  std::string stream;
  std::string manifest;
  /// Of the verification: what was found, and the signed report.
  std::string good_facts;
  Bytes good_report;
};

/// One way in which a copy is false while it looks true.
template <typename B>
struct Way {
  std::string name;
  /// What the gate has to say then.
  std::string says;
  std::function<void(B&)> lie;
  std::string condition = "backup.verified";
};

/// Each on a bench of its own, whose gate was open.
template <typename B>
void try_all(const std::vector<Way<B>>& ways) {
  for (const auto& way : ways) {
    DYNAMIC_SECTION(way.name) {
      B bench;
      way.lie(bench);
      const auto work = bench.verify();
      INFO("the task: " << work.failure.what);
      CHECK_FALSE(bench.gate().open);
      CHECK_THAT(bench.concern(way.condition), Catch::Contains(way.says));
    }
  }
}

}  // namespace relab::falsify
