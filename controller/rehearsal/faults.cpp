#include "controller/rehearsal/faults.h"

#include <algorithm>
#include <array>
#include <capnp/dynamic.h>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"
#include "common/reflect/notes.h"
#include "common/reflect/union.h"
#include "common/wire/message.h"
#include "controller/lab/units.h"
#include "controller/plan/plan.h"

namespace relab::rehearsal {

namespace {

/// How a fault is asked for: the subject, the words behind it, and what may follow them.
struct Form {
  std::string_view subject;
  std::string_view words;
  FaultKind kind;
  /// "at SIZE" follows.
  bool size = false;
  /// "during STEP" or "at P% of STEP" may follow.
  bool step = false;
  std::string_view shown;
};

constexpr std::array forms{
    Form{"disk", "fails", FaultKind::disk_fails, false, true, "disk:SERIAL fails at 40% of STEP"},
    Form{"disk", "is pulled", FaultKind::disk_pulled, false, true,
         "disk:SERIAL is pulled during STEP"},
    Form{"disk", "full", FaultKind::disk_full, true, false, "disk:SERIAL full at 1.2 TB"},
    Form{"usb", "full", FaultKind::disk_full, true, false, "usb full at 1.2 TB"},
    Form{"agent", "dies", FaultKind::agent_dies, false, true, "agent:NAME dies during STEP"},
    Form{"guest", "does not start", FaultKind::guest_does_not_start, false, false,
         "guest:NAME does not start"},
    Form{"guest", "ends after its start", FaultKind::guest_ends, false, false,
         "guest:NAME ends after its start"},
    Form{"guest", "is locked", FaultKind::guest_locked, false, false, "guest:NAME is locked"},
    Form{"storage", "is full", FaultKind::storage_full, false, true,
         "storage:NAME is full during STEP"},
    Form{"download", "fails", FaultKind::download_fails, false, false, "download fails"}};

/// "1.2 TB": a size with a fraction.
std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto point = text.find('.');
  if (point == std::string_view::npos) {
    const auto whole = lab::parse_quantity(text, "bytes");
    if (!whole || *whole < 0) return {};
    return static_cast<std::uint64_t>(*whole);
  }
  const auto end = std::min(text.find_first_not_of("0123456789", point + 1), text.size());
  constexpr std::size_t digits_max = 3;
  const auto digits = end - point - 1;
  if (digits == 0 || digits > digits_max) return {};
  const auto joined = fmt::format("{}{}{}", text.substr(0, point), text.substr(point + 1, digits),
                                  text.substr(end));
  const auto scaled = lab::parse_quantity(joined, "bytes");
  if (!scaled || *scaled < 0) return {};
  std::int64_t divisor = 1;
  for (std::size_t i = 0; i < digits; ++i) divisor *= 10;
  return static_cast<std::uint64_t>(*scaled / divisor);
}

bool cut(std::string_view& text, std::string_view front) {
  if (!text.starts_with(front)) return false;
  text.remove_prefix(front.size());
  text = trim(text);
  return true;
}

tl::unexpected<Error> not_understood(std::string_view text) {
  return fail(Fault::invalid, fmt::format("no fault is called '{}'", clean_text(text)),
              "there are:\n" + fault_forms());
}

/// "during STEP", "at 40% of STEP", or nothing.
bool parse_moment(std::string_view rest, FaultWish& wish) {
  if (rest.empty()) return true;
  if (cut(rest, "at ")) {
    const auto percent = rest.find('%');
    if (percent == std::string_view::npos) return false;
    const auto number = parse_number<unsigned>(rest.substr(0, percent));
    // A task that has done all of it tells of no step further.
    if (!number || *number >= 100) return false;
    wish.at = *number / 100.0;
    rest = trim(rest.substr(percent + 1));
    if (!cut(rest, "of ")) return false;
  } else if (!cut(rest, "during ")) {
    return false;
  }
  wish.during = std::string(rest);
  return !rest.empty() && rest.find(' ') == std::string_view::npos;
}

/// Some text among the task's parameters is this.
bool has_text(capnp::DynamicStruct::Reader params, std::string_view wanted) {
  for (const auto field : params.getSchema().getNonUnionFields())
    if (field.getType().isText() && view(params.get(field).as<capnp::Text>()) == wanted)
      return true;
  return false;
}

bool is_called(std::string_view path, const std::string& during) {
  return during == path || path.ends_with("/" + during);
}

bool does(schema::Task::Reader reader, const std::string& during) {
  const auto task = capnp::toDynamic(reader);
  const auto kind = reflect::snake_case(reflect::member_of(task));
  if (during == kind) return true;
  if (!during.starts_with(kind + ":")) return false;
  KJ_IF_MAYBE (member, task.which()) {
    return has_text(task.get(*member).as<capnp::DynamicStruct>(),
                    std::string_view(during).substr(kind.size() + 1));
  }
  return false;
}

bool is_meant(const std::string& during, schema::Order::Reader order) {
  return is_called(view(order.getStep()), during) || does(order.getTask(), during);
}

}  // namespace

Result<void> check_step(const FaultWish& wish, schema::Lab::Reader lab) {
  std::vector<std::string> called;
  std::vector<std::string> meant;
  for (const auto& name : controller::phase_names(lab)) {
    const auto plan = controller::compile_phase(lab, name);
    if (!plan) continue;
    for (const auto& track : plan->tracks)
      for (const auto& step : track) {
        if (step.path == wish.during) return {};
        const bool by_name = is_called(step.path, wish.during);
        if (by_name) called.push_back(step.path);
        if (by_name || does(step.task->reader(), wish.during)) meant.push_back(step.path);
      }
  }
  if (meant.empty() && !wish.during.empty())
    return fail(Fault::invalid,
                fmt::format("fault '{}': no step of the plan is called '{}', or does that",
                            wish.text, clean_text(wish.during)),
                "`relab plan` shows the steps");
  // Of a kind, the first one is meant; of a name, just one.
  if (called.empty() || meant.size() == 1) return {};
  return fail(Fault::invalid,
              fmt::format("fault '{}': more than one step may be meant by '{}': {}", wish.text,
                          wish.during, fmt::join(meant, ", ")),
              "name one of them by its whole path");
}

std::string fault_forms() {
  std::string text;
  for (const auto& form : forms) text += fmt::format("  {}\n", form.shown);
  return text +
         "P in P% is from 0 to 99, and STEP is a step's path or name, a task kind, or a task kind "
         "with what it is about: "
         "guest:pbs";
}

Result<FaultWish> parse_fault(std::string_view text) {
  const auto whole = trim(text);
  for (const auto& form : forms) {
    auto rest = whole;
    if (!rest.starts_with(form.subject)) continue;
    rest.remove_prefix(form.subject.size());
    FaultWish wish{.text = std::string(whole), .kind = form.kind, .who = {}, .during = {}};
    if (rest.starts_with(':')) {
      const auto end = std::min(rest.find(' '), rest.size());
      wish.who = std::string(rest.substr(1, end - 1));
      rest.remove_prefix(end);
      if (wish.who.empty()) continue;
    } else if (form.shown.find(':') < form.shown.find(' ')) {
      continue;
    }
    rest = trim(rest);
    if (!cut(rest, form.words)) continue;
    if (form.size) {
      const auto bytes = cut(rest, "at ") ? parse_size(rest) : std::nullopt;
      if (!bytes) continue;
      wish.bytes = *bytes;
      return wish;
    }
    if (!form.step && !rest.empty()) continue;
    if (!parse_moment(rest, wish)) continue;
    return wish;
  }
  return not_understood(whole);
}

Faults::Faults(std::vector<FaultWish> wishes, Listeners listeners)
    : listeners_(std::move(listeners)) {
  for (auto& wish : wishes) pending_.push_back({.wish = std::move(wish)});
}

void Faults::strike(Pending& pending, const std::string& step) {
  pending.done = listeners_.strike(pending.wish);
  pending.step = step;
}

void Faults::begin() {
  for (auto& pending : pending_)
    if (pending.from_the_beginning()) strike(pending, {});
}

std::vector<std::pair<std::string, std::string>> Faults::left() const {
  std::vector<std::pair<std::string, std::string>> left;
  for (const auto& pending : pending_)
    if (!pending.done || !listeners_.met(pending.wish))
      left.emplace_back(pending.wish.text, why_left(pending));
  return left;
}

std::string Faults::why_left(const Pending& pending) {
  if (pending.done) return "nothing that was done met with it";
  if (pending.wish.at == 0 || pending.bound.empty())
    return pending.wish.during.empty() ? "the agent was given nothing to do"
                                       : "no step was what it waits for";
  if (pending.furthest == 0)
    return fmt::format("{} does not tell how far it is: say `during`", pending.bound);
  constexpr double percent = 100;
  return fmt::format("{} came to {:.0f}% by what it told", pending.bound,
                     pending.furthest * percent);
}

std::vector<std::pair<std::string, std::string>> Faults::came_about() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& pending : pending_)
    if (pending.done && listeners_.met(pending.wish))
      all.emplace_back(pending.wish.text, pending.step);
  return all;
}

Life Faults::begins(const std::string& agent, schema::Order::Reader order) {
  for (auto& pending : pending_) {
    const auto& wish = pending.wish;
    pending.armed = false;
    if (pending.done) continue;
    if (wish.at > 0) {
      if (pending.bound.empty() && is_meant(wish.during, order))
        pending.bound = str(order.getStep());
      continue;
    }
    if (wish.kind == FaultKind::agent_dies) {
      if (wish.who != agent || (!wish.during.empty() && !is_meant(wish.during, order))) continue;
      pending.armed = true;
      pending.step = str(order.getStep());
      return Life(wish.calls);
    }
    if (is_meant(wish.during, order)) strike(pending, str(order.getStep()));
  }
  return {};
}

bool Faults::advances(const std::string& agent, schema::Order::Reader order,
                      const agent::Advance& advance) {
  if (advance.total == 0) return false;
  const auto ratio = static_cast<double>(advance.done) / static_cast<double>(advance.total);
  bool dies = false;
  for (auto& pending : pending_) {
    const auto& wish = pending.wish;
    if (pending.done || wish.at == 0 || pending.bound != view(order.getStep())) continue;
    pending.furthest = std::max(pending.furthest, ratio);
    if (ratio < wish.at) continue;
    if (wish.kind != FaultKind::agent_dies) {
      strike(pending, str(order.getStep()));
    } else if (wish.who == agent) {
      dies = pending.armed = true;
      pending.step = str(order.getStep());
    }
  }
  return dies;
}

void Faults::asks(schema::Order::Reader order, const std::string& for_person) {
  asked_.emplace(str(order.getStep()), for_person);
}

void Faults::ends(const std::string& agent, schema::Order::Reader order, schema::Outcome outcome,
                  const std::string& failure) {
  if (outcome == schema::Outcome::SUCCEEDED) listeners_.success(agent, order);
  if (!failure.empty()) listeners_.failure(failure);
}

void Faults::dies(const std::string& agent, Instant when) {
  for (auto& pending : pending_)
    pending.done = pending.done || (pending.armed && pending.wish.who == agent);
  listeners_.fall(agent, when);
}

}  // namespace relab::rehearsal
