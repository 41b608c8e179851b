#include "common/needs/needs.h"

#include <algorithm>
#include <array>
#include <capnp/dynamic.h>
#include <fmt/format.h>

#include "common/base/result.h"
#include "common/reflect/union.h"
#include "common/wire/message.h"

namespace relab::needs {

namespace {

using Disks = schema::AuditDisks::Facts::Reader;
using Disk = schema::AuditDisks::Disk::Reader;
using User = schema::AuditDisks::User::Reader;

/// An old file system that nobody mounted uses nothing. Everything else may be part of something.
bool is_leftover(User user) { return view(user.getKind()) == "filesystem"; }

std::string words_of(User user) {
  return fmt::format("{} belongs to {}{}{}", str(user.getDevice()), str(user.getKind()),
                     user.getName().size() == 0 ? "" : " ", str(user.getName()));
}

std::vector<Disk> with_serial(Disks facts, std::string_view serial) {
  std::vector<Disk> found;
  for (const auto disk : facts.getDisks())
    if (!serial.empty() && view(disk.getSerial()) == serial) found.push_back(disk);
  return found;
}

std::string judge_disk_unused(schema::Task::Reader task, schema::Facts::Reader facts) {
  if (!task.isWipeDisk()) return "this kind names no disk";
  const auto serial = str(task.getWipeDisk().getSerial());
  const auto audit = facts.getAuditDisks();
  if (audit.getCoverage().getAbsent().size() != 0)
    return "the disks were not read: " + str(audit.getCoverage().getAbsent());
  if (const auto gaps = audit.getCoverage().getProblems(); gaps.size() != 0)
    return fmt::format("the disks were not read whole: {}: {}", str(gaps[0].getPart()),
                       str(gaps[0].getWhy()));
  const auto found = with_serial(audit, serial);
  if (found.size() != 1)
    return found.empty() ? fmt::format("no disk with the serial number {} was seen", serial)
                         : fmt::format("{} disks have the serial number {}", found.size(), serial);
  for (const auto user : audit.getUsers())
    if (view(user.getDisk()) == view(found[0].getName()) && !is_leftover(user))
      return fmt::format("the disk {} is used: {}", serial, words_of(user));
  return {};
}

constexpr std::array table = {Need{.name = "disk.unused",
                                   .arm = "auditDisks",
                                   .max_age = std::chrono::hours(1),
                                   .says = "there is one such disk, and nothing uses it",
                                   .judge = judge_disk_unused}};

std::string judge_age(const Need& need, const Terms& terms) {
  const auto age = terms.now - terms.taken;
  if (age < Millis(0))
    return fmt::format("it is of {}, which is in the future: was the clock set back?",
                       iso8601(terms.taken));
  if (age > need.max_age)
    return fmt::format("it is {} old, older than {}", human(age), human(need.max_age));
  return {};
}

std::string judge_origin(const Need& need, schema::Report::Reader report, const Terms& terms) {
  if (view(report.getLab()) != terms.lab)
    return fmt::format("it is of the lab '{}'", str(report.getLab()));
  if (view(report.getMachineId()) != terms.machine_id || terms.machine_id.empty())
    return "it is of another machine";
  if (report.getOutcome() != schema::Outcome::SUCCEEDED) return "that task did not succeed";
  if (reflect::member_of(capnp::toDynamic(report.getFacts())) != need.arm)
    return "it carries the facts of another kind";
  return {};
}

std::string describe(Disk disk, Disks facts) {
  std::vector<std::string> leftovers;
  for (const auto user : facts.getUsers())
    if (view(user.getDisk()) == view(disk.getName()))
      leftovers.push_back(fmt::format("{} on {}", str(user.getName()), str(user.getDevice())));
  return fmt::format(
      "disk {}: {}, {}{}{}, {}", str(disk.getSerial()),
      disk.getModel().size() == 0 ? std::string("model unknown") : str(disk.getModel()),
      human_bytes(disk.getSize()), disk.getById().size() == 0 ? "" : ", ", str(disk.getById()),
      leftovers.empty() ? std::string("nothing known on it")
                        : fmt::format("with {}", fmt::join(leftovers, ", ")));
}

}  // namespace

std::span<const Need> all() { return table; }

const Need* find(std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &Need::name);
  return found == table.end() ? nullptr : found;
}

Opinion judge(const Need& need, schema::Task::Reader task, schema::Report::Reader report,
              const Terms& terms) {
  if (auto odd = judge_origin(need, report, terms); !odd.empty())
    return {.standing = Standing::foreign, .why = std::move(odd)};
  if (auto old = judge_age(need, terms); !old.empty())
    return {.standing = Standing::stale, .why = std::move(old)};
  if (auto unmet = need.judge(task, report.getFacts()); !unmet.empty())
    return {.standing = Standing::unmet, .why = std::move(unmet)};
  return {};
}

std::vector<std::string> victims(schema::Task::Reader task, schema::Facts::Reader facts) {
  std::vector<std::string> victims;
  if (task.isWipeDisk() && facts.isAuditDisks())
    for (const auto disk : with_serial(facts.getAuditDisks(), view(task.getWipeDisk().getSerial())))
      victims.push_back(describe(disk, facts.getAuditDisks()));
  return victims;
}

std::string use_of(schema::DiskAttached::Facts::Reader disk) {
  for (const auto user : disk.getUsers())
    if (!is_leftover(user)) return words_of(user);
  return disk.getMounted() ? "something on it is mounted" : std::string();
}

}  // namespace relab::needs
