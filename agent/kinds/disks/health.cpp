#include "agent/kinds/disks/health.h"

#include <algorithm>
#include <fmt/format.h>

namespace relab::agent::disks {

namespace {

/// Why a disk on such a bus has no SMART; empty if it may have.
std::string_view why_none(std::string_view bus) {
  if (bus == "virtio" || bus == "xen") return "a virtual disk has none";
  if (bus == "mmc") return "a memory card has none";
  return {};
}

Result<Smart> ask(Host& host, const std::string& disk, std::vector<std::string> options) {
  Command command = {.argv = {"smartctl", "--json=c", "-a"}};
  command.argv.insert(command.argv.end(), options.begin(), options.end());
  command.argv.push_back("/dev/" + disk);
  RELAB_TRY(const auto output, host.run(command));
  auto smart = parse_smart(output.out);
  // Its status is a set of bits, so only a report that cannot be read is a failure of smartctl.
  if (!smart)
    return fail(Fault::damaged,
                fmt::format("smartctl ended with {}: {}", output.status, first_words(output)));
  smart->exit_status = output.status;
  return smart;
}

bool read_nothing(const Result<Smart>& smart) {
  return smart && (smart->exit_status & smartctl_read_nothing) != 0;
}

class Ward {
 public:
  Ward(Host& host, Gaps& gaps) : host_(host), gaps_(gaps) {}

  void visit(const Patient& patient) {
    if (const auto why = why_none(patient.bus); !why.empty())
      return gaps_.absent(part_of(patient), std::string(why));
    if (no_smartctl_) return;
    auto smart = ask(host_, patient.name, {});
    // Many USB bridges pass ATA commands on, but are not in smartctl's list.
    if (read_nothing(smart) && patient.bus == "usb")
      if (auto again = ask(host_, patient.name, {"-d", "sat"}); again && !read_nothing(again))
        smart = std::move(again);
    judge(patient, std::move(smart));
  }
  std::vector<Diagnosis> diagnoses() && { return std::move(diagnoses_); }

 private:
  static std::string part_of(const Patient& patient) {
    return fmt::format("SMART of /dev/{}", patient.name);
  }

  void judge(const Patient& patient, Result<Smart> smart) {
    const auto part = part_of(patient);
    if (!smart && smart.error().fault == Fault::missing) {
      no_smartctl_ = true;
      return gaps_.absent("SMART", smart.error().what + ": install smartmontools");
    }
    if (!smart) return gaps_.problem(part, smart.error());
    if (read_nothing(smart)) return judge_unread(patient, *smart);
    if (smart->available == false) return gaps_.absent(part, "the disk says that it has none");
    if (smart->enabled == false)
      gaps_.problem(part, fmt::format("it is switched off: smartctl -s on /dev/{}", patient.name));
    else if (!smart->passed)
      gaps_.problem(part, fmt::format("smartctl ended with {} and told no overall health{}{}",
                                      smart->exit_status, smart->messages.empty() ? "" : ": ",
                                      smart->messages));
    diagnoses_.push_back({.disk = patient.name, .smart = std::move(*smart)});
  }

  void judge_unread(const Patient& patient, const Smart& smart) {
    const bool bridge = smart.messages.find("USB bridge") != std::string::npos;
    if (patient.bus == "usb" && bridge)
      return gaps_.absent(part_of(patient),
                          "its USB bridge does not pass it on: " + smart.messages);
    gaps_.problem(part_of(patient),
                  fmt::format("smartctl ended with {}: {}", smart.exit_status, smart.messages));
  }

  Host& host_;
  Gaps& gaps_;
  bool no_smartctl_ = false;
  std::vector<Diagnosis> diagnoses_;
};

}  // namespace

std::vector<Diagnosis> read_health(Host& host, const std::vector<Patient>& patients, Gaps& gaps) {
  Ward ward(host, gaps);
  for (const auto& patient : patients) ward.visit(patient);
  return std::move(ward).diagnoses();
}

}  // namespace relab::agent::disks
