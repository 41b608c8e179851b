#include "agent/kinds/zfs/key_check.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/host/sim/sim_host.h"
#include "common/base/text.h"
#include "tests/support/faulty_host.h"
#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent::zfs {

namespace {

using Facts = schema::ZfsKeyCheck::Facts;

const std::string right_key = "correct horse battery";

/// ZFS as it was recorded: the encrypted pool datapool with datapool/docs, the plain pool rpool.
struct Machine {
  explicit Machine(std::string zfs_version) : version(std::move(zfs_version)) {
    host.secret("tank-key", right_key);
    host.program("zfs", [this](const Command& command) { return zfs(command); });
    host.answer("zpool list -Hp -o name,guid,health",
                {.out = "datapool\t1357924680\tONLINE\nrpool\t2\tONLINE\n"});
  }

  Result<Message<Facts>> check(const std::string& dataset, const std::string& key = "tank-key") {
    Draft<schema::ZfsKeyCheck> params;
    params->setDataset(dataset);
    params->setKey(key);
    return ZfsKeyCheck::observe(params->asReader(), host);
  }
  std::string tried() const { return host.ran().back(); }

  std::string version;
  std::string key_location = "prompt";
  std::string key_status = "available";
  SimHost host;

 private:
  Output recorded(const std::string& name) const {
    return transcript("zfs/" + version + "/" + name + ".txt");
  }
  Output zfs(const Command& command) const {
    const auto& argv = command.argv;
    if (argv.at(1) == "version") return recorded("zfs-version");
    if (argv.at(1) == "get") return get(argv.at(3), argv.back());
    if (argv.at(1) == "load-key" && argv.at(2) == "-n") return load_key(argv, command.input);
    return {.status = 2, .err = "unrecognized command\n"};
  }
  /// Of those that were asked for, out of all that were recorded of datapool/docs.
  Output get(const std::string& wanted, const std::string& dataset) const {
    if (dataset.starts_with("rpool")) return plain(wanted, dataset);
    if (dataset != "datapool" && dataset != "datapool/docs")
      return {.status = 1, .err = "cannot open '" + dataset + "': dataset does not exist\n"};
    Output output;
    const auto all = split(wanted, ',');
    const auto known = recorded("zfs-get-Hp-all");
    for (const auto line : lines(known.out)) {
      auto row = split(line, '\t');
      if (std::ranges::find(all, row[1]) == all.end()) continue;
      if (row[1] == "keystatus") row[2] = key_status;
      if (row[1] == "keylocation" && dataset == "datapool") row[2] = key_location;
      row[0] = dataset;
      output.out += fmt::format("{}\n", fmt::join(row, "\t"));
    }
    return output;
  }
  static Output plain(const std::string& wanted, const std::string& dataset) {
    Output output;
    for (const auto property : split(wanted, ','))
      output.out += fmt::format("{}\t{}\t{}\t-\n", dataset, property,
                                property == "encryption" ? "off"
                                : property == "guid"     ? "9445513535092418555"
                                                         : "-");
    return output;
  }
  Output load_key(const std::vector<std::string>& argv, const std::string& input) const {
    // What stands in a file would be taken from there.
    if (key_location != "prompt" && argv.at(3) != "-L") return {.status = 255, .err = "from file"};
    if (argv.back() != "datapool") return recorded("load-key-child");
    if (input.empty()) return recorded("load-key-empty");
    if (input.size() < 8) return recorded("load-key-short");
    return recorded(input == right_key ? "load-key-n" : "load-key-wrong");
  }
};

}  // namespace

TEST_CASE("zfs key check: ZFS proves the right key", "[agent][zfs]") {
  const auto row = GENERATE(table<std::string, std::string, std::uint64_t>(
      {{"2.1.11", "2.1.11-1+deb12u1", 14617383933171244897U},
       {"2.3.9", "2.3.9-0+deb13u1", 908356955890111850U}}));
  Machine machine(std::get<0>(row));

  const auto message = must(machine.check("datapool"));

  const auto facts = message.reader();
  CHECK(facts.getProven());
  CHECK(facts.getExitCode() == 0);
  CHECK(view(facts.getWords()).empty());
  CHECK(view(facts.getDataset()) == "datapool");
  CHECK(facts.getGuid() == std::get<2>(row));
  CHECK(view(facts.getPool()) == "datapool");
  CHECK(facts.getPoolGuid() == 1357924680);
  CHECK(view(facts.getEncryptionRoot()) == "datapool");
  CHECK(view(facts.getKeyFormat()) == "passphrase");
  CHECK(view(facts.getKeyStatus()) == "available");
  CHECK(view(facts.getToolVersion()) == std::get<1>(row));
  CHECK(machine.tried() == "zfs load-key -n datapool");
}

TEST_CASE("zfs key check: a key that is not it is a finding, in ZFS's words", "[agent][zfs]") {
  const auto row = GENERATE(table<std::string, std::string, std::string>(
      {{"2.1.11", "a wrong passphrase", "Incorrect key provided for 'datapool'."},
       {"2.3.9", "a wrong passphrase", "Incorrect key provided for 'datapool'."},
       {"2.1.11", "short", "Passphrase too short (min 8)."},
       {"2.3.9", "short", "Incorrect key provided for 'datapool'."}}));
  Machine machine(std::get<0>(row));
  machine.host.secret("tank-key", std::get<1>(row));

  const auto message = must(machine.check("datapool"));

  // That a key is loaded says nothing about the one that was tried.
  CHECK(view(message.reader().getKeyStatus()) == "available");
  CHECK_FALSE(message.reader().getProven());
  CHECK(message.reader().getExitCode() == 255);
  CHECK(view(message.reader().getWords()) == "Key load error: " + std::get<2>(row));
}

TEST_CASE("zfs key check: a key that is not loaded is proven all the same", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.key_status = "unavailable";

  const auto message = must(machine.check("datapool"));

  CHECK(message.reader().getProven());
  CHECK(view(message.reader().getKeyStatus()) == "unavailable");
}

TEST_CASE("zfs key check: of a dataset below, the key of its root is tried", "[agent][zfs]") {
  Machine machine("2.3.9");

  const auto message = must(machine.check("datapool/docs"));

  CHECK(message.reader().getProven());
  CHECK(view(message.reader().getDataset()) == "datapool/docs");
  CHECK(view(message.reader().getEncryptionRoot()) == "datapool");
  CHECK(machine.tried() == "zfs load-key -n datapool");
}

TEST_CASE("zfs key check: where the key lies in a file, the file is not asked", "[agent][zfs]") {
  Machine machine("2.1.11");
  machine.key_location = "file:///root/tank.key";

  const auto message = must(machine.check("datapool"));

  CHECK(message.reader().getProven());
  CHECK(machine.tried() == "zfs load-key -n -L prompt datapool");
}

TEST_CASE("zfs key check: what has no key, or is not there, is an error that says so",
          "[agent][zfs]") {
  const auto row = GENERATE(table<std::string, Fault, std::string>(
      {{"rpool/data", Fault::invalid, "the dataset 'rpool/data' is not encrypted"},
       {"datapool/none", Fault::missing, "there is no dataset 'datapool/none'"},
       {"", Fault::invalid, "no name of a dataset"},
       {"-a", Fault::invalid, "no name of a dataset"},
       {"/datapool", Fault::invalid, "no name of a dataset"},
       {"datapool@snap", Fault::invalid, "no name of a dataset"},
       {"datapool,rpool", Fault::invalid, "no name of a dataset"}}));
  Machine machine("2.3.9");

  const auto facts = machine.check(std::get<0>(row));

  REQUIRE_FALSE(facts);
  CHECK(facts.error().fault == std::get<1>(row));
  CHECK(facts.error().what.find(std::get<2>(row)) != std::string::npos);
}

TEST_CASE("zfs key check: without its secret, without ZFS or its module nothing is tried",
          "[agent][zfs]") {
  Machine machine("2.3.9");
  CHECK(machine.check("datapool", "other-key").error().what ==
        "no secret 'other-key' came with the order");
  CHECK(machine.check("datapool", "").error().fault == Fault::invalid);

  Machine unloaded("2.3.9");
  unloaded.host.answer("zfs version", {.status = 1, .out = "zfs-2.3.9-0+deb13u1\n"});
  CHECK(unloaded.check("datapool").error().fault == Fault::unsupported);

  SimHost nothing;
  Draft<schema::ZfsKeyCheck> params;
  params->setDataset("datapool");
  params->setKey("tank-key");
  CHECK(ZfsKeyCheck::observe(params->asReader(), nothing).error().fault == Fault::missing);
}

TEST_CASE("zfs key check: no failure of any call proves a key", "[agent][zfs]") {
  const auto how = GENERATE(Failing::error, Failing::status, Failing::cut);
  Machine machine("2.3.9");
  Draft<schema::ZfsKeyCheck> params;
  params->setDataset("datapool/docs");
  params->setKey("tank-key");
  FaultyHost counted(machine.host);
  must(ZfsKeyCheck::observe(params->asReader(), counted));

  for (std::size_t n = 0; n < counted.calls().size(); ++n) {
    FaultyHost host(machine.host, n, how);
    const auto facts = ZfsKeyCheck::observe(params->asReader(), host);
    INFO(counted.calls()[n]);
    REQUIRE(host.failed());
    CHECK((!facts || !facts->reader().getProven()));
  }
}

TEST_CASE("zfs key check: a program that a signal ended said nothing about the key",
          "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.host.answer("zfs load-key -n datapool", {.status = 137});

  CHECK(machine.check("datapool").error().fault == Fault::damaged);
}

}  // namespace relab::agent::zfs
