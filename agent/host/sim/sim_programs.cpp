/// The programs of a simulated machine: what they are asked, and how what they print flows.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "agent/host/no_program.h"
#include "agent/host/sim/sim_host.h"

namespace relab::agent {

namespace {

std::string joined(const std::vector<std::string>& argv) {
  return fmt::format("{}", fmt::join(argv, " "));
}

}  // namespace

Result<Output> SimHost::run(const Command& command) {
  RELAB_ASSERT(!command.argv.empty() && (command.input.empty() || command.secret_input.empty()));
  auto argv = command.argv;
  argv[0] = Path(argv[0]).filename().string();
  ran_.push_back(joined(argv));
  now_ += command_takes_;
  grain_ = 1;
  source_ = {};
  if (command.secret_input.empty()) return answer_of(command, argv);
  const auto secret = secrets_.find(command.secret_input);
  if (secret == secrets_.end())
    return fail(Fault::missing,
                fmt::format("no secret '{}' came with the order", command.secret_input));
  auto given = command;
  given.input = secret->second;
  return answer_of(given, argv);
}

Result<Output> SimHost::answer_of(const Command& command, const std::vector<std::string>& argv) {
  const auto line = joined(argv);
  if (const auto answer = answers_.find(line); answer != answers_.end()) return answer->second;
  if (const auto program = programs_.find(argv[0]); program != programs_.end())
    return program->second(command);
  for (const auto& [known, output] : answers_)
    if (known.starts_with(argv[0] + " ") || known == argv[0])
      return Output{.status = 2,
                    .err = fmt::format("the simulated {} has no answer to: {}\n", argv[0], line)};
  if (absent_ && !absent_->contains(argv[0])) return does_not_know(command);
  return fail(no_program(argv[0]));
}

SimHost::Program SimHost::program_of(const std::string& name) const {
  const auto found = programs_.find(name);
  return found == programs_.end() ? Program() : found->second;
}

tl::unexpected<Error> SimHost::does_not_know(const Command& command) {
  const auto line = joined(command.argv);
  unknown_.insert(line);
  return fail(Fault::unsupported, "the simulation does not know the command: " + line,
              "nothing is known of how a real machine would answer");
}

void SimHost::forget_answers(const std::string& name) {
  std::erase_if(answers_, [&](const auto& known) { return known.first.starts_with(name + " "); });
}

Result<Output> SimHost::stream(const Command& command, Sink& sink) {
  const auto began = now_;
  RELAB_TRY(auto output, run(command));
  const auto source = std::exchange(source_, {});
  const auto flown = flow_on(began, output.out, sink, source);
  grain_ = 1;
  RELAB_CHECK(flown);
  if (*flown < output.out.size()) return *source();
  output.out.clear();
  return output;
}

/// What the source took until now is spread over all of it; the slower side sets the pace.
Result<std::size_t> SimHost::flow_on(Instant began, std::string_view text, Sink& sink,
                                     const Source& source) {
  constexpr std::size_t piece_max = 1021;
  const auto span = now_ - began;
  now_ = began;
  const auto all = bytes_of(text);
  for (std::size_t done = 0; done < all.size();) {
    const auto piece = all.subspan(done, std::min(all.size() - done, piece_max));
    done += piece.size();
    const auto part = static_cast<double>(done) / static_cast<double>(all.size());
    now_ = std::max(
        now_, began + Millis(static_cast<std::int64_t>(part * static_cast<double>(span.count()))));
    RELAB_CHECK(sink.take(piece));
    if (done < all.size() && source && source()) return done;
  }
  now_ = std::max(now_, began + span);
  return all.size();
}

/// What is read there ends where it breaks.
SimHost::Source SimHost::breaking_off(const Path& path) const {
  return [this, path]() -> std::optional<Output> {
    if (check_unbroken(path)) return {};
    return Output{.status = 1};
  };
}

Result<Output> SimHost::feed(const Path& path, const Command& command, Sink& also) {
  RELAB_TRY(const auto* found, resolve(path, true));
  auto fed = command;
  fed.input = found->second.content;
  const Path real = found->first;
  const auto grain = found->second.grain;
  const auto began = now_;
  spend(fed.input.size() * grain, speed_at(real).read);
  grain_ = grain;
  read_size_ = fed.input.size();
  const auto flown = flow_on(began, fed.input, also, breaking_off(real));
  grain_ = 1;
  read_size_ = 0;
  RELAB_CHECK(flown);
  // It may have broken meanwhile.
  RELAB_CHECK(check_unbroken(real));
  const auto read = now_;
  now_ = began;
  auto output = run(fed);
  now_ = std::max(now_, read);
  return output;
}

Result<Piped> SimHost::pipe(const Command& from, const Command& to, Sink& also) {
  const auto began = now_;
  RELAB_TRY(auto sent, run(from));
  const auto known = drains_.find(Path(to.argv.at(0)).filename().string());
  const auto drain = known == drains_.end() ? Drain{} : known->second(to);
  const auto read = now_;
  now_ = began;
  spend(sent.out.size() * grain_, drain.each_second);
  now_ = std::max(now_, read);
  const Source source = [&drain, from = std::exchange(source_, {})]() -> std::optional<Output> {
    if (auto broken = from ? from() : std::nullopt) return broken;
    if (drain.is_stuck && drain.is_stuck()) return Output{.status = 1};
    return {};
  };
  const auto flown = flow_on(began, sent.out, also, source);
  grain_ = 1;
  RELAB_CHECK(flown);
  if (*flown < sent.out.size()) {
    auto broken = *source();
    broken.out = sent.out.substr(0, *flown);
    sent = std::move(broken);
  }
  auto fed = to;
  fed.input = std::move(sent.out);
  sent.out.clear();
  const auto over = now_;
  now_ = began;
  auto received = run(fed);
  now_ = std::max(now_, over);
  RELAB_CHECK(received);
  return Piped{.from = std::move(sent), .to = *std::move(received)};
}

Result<void> SimHost::read_through(const Path& path, const Range& range, Sink& sink) {
  RELAB_TRY(const auto* node, find(path, true));
  if (node->status.type != FileType::regular && node->status.type != FileType::block)
    return fail(Fault::invalid, fmt::format("{} is neither a file nor a disk", path.string()));
  if (range.offset >= node->content.size()) return {};
  const auto part = std::string_view(node->content).substr(range.offset, range.size);
  RELAB_TRY(const auto real, canonical(path));
  const auto began = now_;
  spend(part.size() * node->grain, speed_at(real).read);
  grain_ = node->grain;
  read_size_ = node->content.size();
  const auto flown = flow_on(began, std::string(part), sink, breaking_off(real));
  grain_ = 1;
  read_size_ = 0;
  RELAB_CHECK(flown);
  return check_unbroken(real);
}

}  // namespace relab::agent
