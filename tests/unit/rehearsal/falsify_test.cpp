// The reference plan, with something made false behind its back while it looks true: no gate opens
// over it, and the plan says why.

#include <functional>
#include <utility>

#include "common/base/text.h"
#include "controller/rehearsal/set.h"
#include "tests/support/rehearsed.h"

namespace relab::rehearsal {

namespace {

using agent::Command;
using agent::Output;
using System = agent::sim::Machine;
using Deed = std::function<void(System&)>;

constexpr auto stream_file = "/mnt/usb/datapool-pre-rebuild.zfs";
constexpr auto manifest_file = "/mnt/usb/datapool-pre-rebuild.manifest";
constexpr auto signature_file = "/mnt/usb/datapool-pre-rebuild.manifest.dsse";
constexpr std::size_t record_size = 312;

struct FalseWay {
  std::string name;
  /// The step behind which it is made false.
  std::string behind;
  Deed deed;
  /// What the plan has to say of it.
  std::string says;
};

void ask(System& machine, const std::string& line) {
  std::vector<std::string> argv;
  for (const auto word : split(line, ' ')) argv.emplace_back(word);
  const auto output = must(machine.host().run({.argv = argv}));
  INFO(line << ": " << output.err);
  REQUIRE(output.status == 0);
}

/// Another content, of which each byte stands for as many as before.
Deed rewritten(const std::string& file, std::function<void(std::string&)> change) {
  return [=](System& machine) {
    auto& host = machine.host();
    const auto grain = host.grain_of(file);
    auto content = must(host.read_file(file, std::size_t{64} << 20U));
    const auto before = content;
    change(content);
    const bool changed = content != before;
    REQUIRE(changed);
    host.file(file, content);
    host.stand_for(agent::Path(file), grain);
  };
}

Deed removed(const std::string& file) {
  return [=](System& machine) { must(machine.host().remove_file(file)); };
}

Deed asked(const std::vector<std::string>& lines) {
  return [=](System& machine) {
    for (const auto& line : lines) ask(machine, line);
  };
}

void flip(std::string& content, std::size_t at) {
  content.at(at) = static_cast<char>(content.at(at) ^ 1);
}

/// A `zfs` that answers as before, but for a replication stream.
Deed lying(std::function<void(Output&)> lie) {
  return [lie = std::move(lie)](System& machine) {
    auto& host = machine.host();
    host.program("zfs", [honest = host.program_of("zfs"), lie](const Command& command) {
      auto output = honest(command);
      const bool sends = command.argv.size() > 3 && command.argv[1] == "send" &&
                         command.argv[2] == "-R" && command.argv[3] == "-w";
      if (sends && output) lie(*output);
      return output;
    });
  };
}

/// A program that says and does nothing where it is asked for that, and ends well.
Deed idle(const std::string& program, const std::string& verb) {
  return [=](System& machine) {
    auto& host = machine.host();
    host.program(
        program,
        [honest = host.program_of(program), verb](const Command& command) -> Result<Output> {
          if (command.argv.size() > 1 && command.argv[1] == verb) return Output{};
          return honest(command);
        });
  };
}

Deed disk_fails(const std::vector<std::string>& serials) {
  return [=](System& machine) {
    for (const auto& serial : serials) must(machine.storage().fail_disk(serial));
  };
}

/// Does it once, as soon as that step has succeeded.
class Falsifier final : public Onlooker {
 public:
  Falsifier(Rehearsed& rehearsed, const FalseWay& way)
      : rehearsed_(rehearsed), way_(way), narrator_(rehearsed.printer) {}

  controller::Narrator& begins(const RehearsedPhase& /*phase*/) override { return narrator_; }
  Result<void> passes(const Stage& /*stage*/, const controller::Engine& engine,
                      Millis /*since*/) override {
    for (const auto& track : engine.tracks())
      for (const auto& run : track)
        if (!done_ && run.step.path == way_.behind &&
            run.state == controller::StepState::succeeded) {
          done_ = true;
          way_.deed(*rehearsed_.rehearsal->set().system("z640"));
        }
    return {};
  }
  void ends() override {}
  bool done() const { return done_; }

 private:
  Rehearsed& rehearsed_;
  const FalseWay& way_;
  controller::cli::QuietNarrator narrator_;
  bool done_ = false;
};

void try_one(const FalseWay& way) {
  INFO(way.name);
  Rehearsed rehearsed({}, Rehearsed::When::later);
  Falsifier falsifier(rehearsed, way);
  must(rehearsed.rehearsal->run(falsifier));
  CHECK(falsifier.done());
  INFO(rehearsed.told());
  CHECK_FALSE(rehearsed.phase("0b").complete());
  CHECK_FALSE(rehearsed.phase("1").end.gate.open);
  CHECK_THAT(rehearsed.told(), Catch::Contains(way.says));
  for (const auto& trouble : rehearsed.rehearsal->troubles()) {
    CHECK(trouble.kind != Trouble::Kind::untrue);
    CHECK(trouble.kind != Trouble::Kind::not_played);
  }
}

constexpr auto written = "0b/0b/write";
constexpr auto snapped = "0b/0b/snapshot";

}  // namespace

TEST_CASE("falsified rehearsal: where nothing is made false the phase is complete",
          "[rehearsal][falsify]") {
  const FalseWay nothing{.name = "nothing", .behind = written, .deed = [](System&) {}, .says = ""};
  Rehearsed rehearsed({}, Rehearsed::When::later);
  Falsifier falsifier(rehearsed, nothing);
  must(rehearsed.rehearsal->run(falsifier));
  CHECK(falsifier.done());
  CHECK(rehearsed.phase("0b").complete());
}

TEST_CASE("falsified rehearsal: a stream that is not what was written", "[rehearsal][falsify]") {
  const auto way = GENERATE(values<FalseWay>({
      {"an empty file", written, rewritten(stream_file, [](auto& s) { s.clear(); }), "0 bytes"},
      {"zeroes of the right length", written,
       rewritten(stream_file, [](auto& s) { s.assign(s.size(), '\0'); }), "not what was written"},
      {"cut within a record", written,
       rewritten(stream_file, [](auto& s) { s.resize(s.size() - 2 * record_size + 100); }),
       "its manifest says"},
      {"cut in the middle and filled up with zeroes", written,
       rewritten(stream_file,
                 [](auto& s) {
                   const auto size = s.size();
                   s.resize(size / 2);
                   s.resize(size, '\0');
                 }),
       "not what was written"},
      {"the closing record missing", written,
       rewritten(stream_file, [](auto& s) { s.resize(s.size() - record_size); }),
       "its manifest says"},
      {"a record of zeroes more at the end", written,
       rewritten(stream_file, [](auto& s) { s.resize(s.size() + record_size, '\0'); }),
       "its manifest says"},
      {"a bit flipped in the first record", written,
       rewritten(stream_file, [](auto& s) { flip(s, 24); }), "not what was written"},
      {"a bit flipped in the middle", written,
       rewritten(stream_file, [](auto& s) { flip(s, s.size() / 2); }), "not what was written"},
      {"a bit flipped in the last checksum", written,
       rewritten(stream_file, [](auto& s) { flip(s, s.size() - 8); }), "not what was written"},
      {"no stream", written, removed(stream_file), "there is no copy"},
  }));
  try_one(way);
}

TEST_CASE("falsified rehearsal: a manifest that is not the stream's", "[rehearsal][falsify]") {
  const auto way = GENERATE(values<FalseWay>({
      {"no manifest", written, removed(manifest_file), "it has no manifest"},
      {"an empty manifest", written, rewritten(manifest_file, [](auto& s) { s.clear(); }),
       "its manifest cannot be read"},
      {"a manifest that is cut off", written,
       rewritten(manifest_file, [](auto& s) { s.resize(s.size() / 2); }),
       "its manifest cannot be read"},
      {"another dataset in the manifest", written,
       rewritten(manifest_file, [](auto& s) { s.replace(s.find("datapool"), 8, "otherone"); }),
       "manifest"},
      {"no signature of the manifest", written, removed(signature_file), "nobody has signed"},
      {"a signature that is cut off", written,
       rewritten(signature_file, [](auto& s) { s.resize(s.size() / 2); }), "it is no JSON object"},
  }));
  try_one(way);
}

TEST_CASE("falsified rehearsal: a zfs that lies", "[rehearsal][falsify]") {
  const auto way = GENERATE(values<FalseWay>({
      {"it sends nothing and exits 0", snapped, lying([](auto& o) { o.out.clear(); }),
       "the stream is empty"},
      {"it stops in the middle and exits 0", snapped,
       lying([](auto& o) { o.out.resize(o.out.size() / 2); }), "the stream"},
      {"it leaves out the end and exits 0", snapped,
       lying([](auto& o) { o.out.resize(o.out.size() - record_size); }), "the stream"},
      {"it sends all and fails", snapped, lying([](auto& o) { o.status = 1; }),
       "zfs send ended with 1"},
      {"it sends all and warns", snapped, lying([](auto& o) { o.err = "warning: something\n"; }),
       "warning: something"},
      {"a snapshot that is not taken", "0b/0b/keep-arr", idle("zfs", "snapshot"), "snapshot"},
      {"a hold that is not set", "0b/0b/keep-arr", idle("zfs", "hold"), "hold"},
      {"a drill that receives nothing", written, idle("zfs", "receive"),
       "there is no dataset 'datapool/relab-drill/copy'"},
      {"a key that is not loaded for the drill", written, idle("zfs", "load-key"),
       "Permission denied"},
      {"a drill that is not removed", written, idle("zfs", "destroy"),
       "the scratch could not be removed"},
  }));
  try_one(way);
}

TEST_CASE("falsified rehearsal: a pool or a disk that is not what it was", "[rehearsal][falsify]") {
  const auto way = GENERATE(values<FalseWay>({
      {"a dataset that was made since", written, asked({"zfs create datapool/new"}),
       "it was made since"},
      {"a dataset that was made since, and has a snapshot of that name", written,
       asked({"zfs create datapool/new", "zfs snapshot datapool/new@pre-rebuild"}),
       "other snapshots of the same names"},
      {"the disk was pulled out", written,
       [](System& machine) { must(machine.storage().pull("NAAB0001")); }, "there is no /dev/sdg"},
      {"the disk with the copy cannot be read", written, disk_fails({"NAAB0001"}),
       "Input/output error"},
      {"the copy lies below the mount point, on the system's own disk", written,
       [](System& machine) {
         auto& host = machine.host();
         const auto stream = must(host.read_file(stream_file, std::size_t{64} << 20U));
         const auto manifest = must(host.read_file(manifest_file));
         ask(machine, "umount /mnt/usb");
         host.file(stream_file, stream);
         host.file(manifest_file, manifest);
       },
       "nothing is mounted on /mnt/usb"},
      {"a disk of the pool has failed", "0b/0b/scrub", disk_fails({"ZDH1A001"}), "DEGRADED"},
  }));
  try_one(way);
}

}  // namespace relab::rehearsal
