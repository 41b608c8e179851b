/// Order of things: the journal before the deed, the deed before the word; a controller is answered
/// only over connections on which its own signed frames came.

#include "agent/service/servant.h"

#include <algorithm>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include "agent/service/report.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "common/reflect/resource.h"
#include "common/wire/dsse.h"
#include "schema/ledger.capnp.h"

namespace relab::agent {

namespace {

/// Those of connections that are gone go with the next sending.
constexpr std::size_t sessions_max = 64;
constexpr auto progress_interval = Millis(1000);

}  // namespace

Servant::Servant(Self self, CoreLimits limits, TaskJournal& journal, Outlet& outlet, Labour& labour,
                 std::shared_ptr<spdlog::logger> log)
    : self_(std::move(self)),
      journal_(journal),
      outlet_(outlet),
      labour_(labour),
      log_(std::move(log)),
      core_(limits) {
  randombytes_buf(nonce_.data(), nonce_.size());
}

void Servant::tick(const Now& now) {
  now_ = now;
  feed(event::Ticked{});
}

void Servant::drain(const Now& now) {
  now_ = now;
  feed(event::DrainAsked{});
}

void Servant::replace_trust(Trust trust) {
  self_.trust = std::move(trust);
  std::erase_if(sessions_, [&](const Heard& session) {
    return self_.trust.by_curve_key(session.peer) == nullptr;
  });
}

bool Servant::awaits_acknowledgement() const { return !sessions_.empty() && !core_.held().empty(); }

Result<void> Servant::recover(const Now& now) {
  now_ = now;
  if (journal_.lost()) log_->error("the journal was damaged; it was put aside and a new one begun");
  RELAB_TRY(const auto rows, journal_.held());
  for (const auto& row : rows) {
    const auto order = Message<schema::Order>::parse(row.order);
    if (!order)
      log_->error("the order of task {} cannot be read: {}", row.id.text(), order.error().what);
    const auto deadline = std::chrono::seconds(order ? order->reader().getDeadline() : 0);
    const auto confirm = std::chrono::seconds(order ? order->reader().getConfirmWithin() : 0);
    const auto state = order ? row.state : std::max(row.state, TaskState::running);
    log_->info("task {} was {} when the agent stopped", row.id.text(),
               row.state == TaskState::accepted   ? "waiting"
               : row.state == TaskState::running  ? "running"
               : row.state == TaskState::finished ? "finished"
                                                  : "to be confirmed");
    feed(event::Recovered{
        .id = row.id,
        .state = state,
        .deadline = deadline,
        .armed = !row.before.empty(),
        .confirm_within = confirm,
        .left = left_to_confirm(row, confirm),
        .resource = order ? reflect::resource_of(order->reader().getTask()) : std::string()});
  }
  feed(event::Ticked{});
  return {};
}

Millis Servant::left_to_confirm(const JournalRow& row, std::chrono::seconds confirm_within) const {
  if (row.state != TaskState::unconfirmed || row.boot != self_.boot_id) return Millis(0);
  // A clock that was set back does not give it more than it had.
  return std::clamp<Millis>(row.until - now_.wall, Millis(0), confirm_within);
}

bool Servant::busy() const {
  return std::ranges::any_of(core_.held(), [](const auto& task) {
    return task.second.state != TaskState::finished || task.second.unstored;
  });
}

void Servant::take_frame(const Incoming& incoming, const Now& now) {
  now_ = now;
  const auto* peer = self_.trust.by_curve_key(incoming.peer);
  if (peer == nullptr) {
    // Admitted once, revoked since: the connection lives on, what it says does not count.
    ++turned_.revoked;
    return;
  }
  const auto opening = open_frame(incoming.frame, frame_size_max,
                                  [&](const auto& key) { return key == peer->sign_key; });
  if (!opening.opened) {
    auto& count = turned_.unopened.at(static_cast<std::size_t>(opening.reason));
    if (++count == 1 || count % 1000 == 0)
      log_->warn("a frame of {} bytes was not opened: {} ({} so far)", incoming.frame.size(),
                 name(opening.reason), count);
    return;
  }
  remember(incoming);
  dispatch(*peer, *opening.opened, incoming.route);
}

void Servant::remember(const Incoming& incoming) {
  if (std::ranges::find(sessions_, incoming.route, &Heard::route) != sessions_.end()) return;
  sessions_.push_back({.peer = incoming.peer, .route = incoming.route});
  if (sessions_.size() > sessions_max) sessions_.pop_front();
}

void Servant::dispatch(const Party& peer, const Opened& opened, const std::string& route) {
  if (opened.is<schema::Order>()) return take_order(opened);
  if (const auto attach = opened.as<schema::Attach>())
    return take_attach(peer, attach->reader(), route);
  if (const auto ack = opened.as<schema::Ack>()) return take_ack(ack->reader());
  if (const auto cancel = opened.as<schema::Cancel>()) return take_cancel(cancel->reader());
  if (opened.is<schema::Checkpoint>()) return take_checkpoint(peer, opened);
  if (const auto confirm = opened.as<schema::Confirm>())
    return take_confirm(confirm->reader(), route);
  if (const auto piece = opened.as<schema::Piece>()) return take_piece(piece->reader());
  if (++turned_.unexpected == 1)
    log_->warn("a frame that an agent does not expect: {}", opened.type());
}

void Servant::take_attach(const Party& peer, const schema::Attach::Reader& attach,
                          const std::string& route) {
  log_->info("the controller '{}' ({}) attached", peer.name, crypto::fingerprint(peer.sign_key));
  // To whoever asked, and nobody else: it answers a question. If it is gone, it will ask again.
  static_cast<void>(outlet_.send(route, sign(self_.keys, hello(peer, attach)).bytes()).has_value());
  feed(event::Attached{});
}

std::optional<Servant::Shown> Servant::head_shown(const Party& peer) const {
  const auto kept = journal_.checkpoint(peer.sign_key);
  if (!kept) return {};
  const auto own = open_signed<schema::Countersigned>(*kept, self_.keys.sign_key());
  if (!own) return {};
  auto shown =
      open_signed<schema::Checkpoint>(view(own->first.reader().getCheckpoint()), peer.sign_key);
  if (!shown) return {};
  return Shown{.entries = shown->first.reader().getEntries(),
               .envelope = std::move(shown->second.envelope)};
}

std::string Servant::newest_head() const {
  std::optional<Shown> newest;
  for (const auto& controller : self_.trust.controllers())
    if (auto shown = head_shown(controller); shown && (!newest || shown->entries > newest->entries))
      newest = std::move(shown);
  return newest ? to_dsse(newest->envelope.reader()).dump() + "\n" : "";
}

void Servant::take_checkpoint(const Party& peer, const Opened& opened) {
  const auto checkpoint = opened.as<schema::Checkpoint>();
  const auto before = head_shown(peer);
  if (!checkpoint || (before && checkpoint->reader().getEntries() <= before->entries)) return;
  Draft<schema::Countersigned> countersigned;
  countersigned->setCheckpoint(blob(opened.envelope.bytes()));
  countersigned->setMachineId(self_.machine_id);
  countersigned->setTime(unix_millis(now_.wall));
  const auto envelope = sign(self_.keys, std::move(countersigned).finish());
  if (const auto done = journal_.keep_checkpoint(peer.sign_key, envelope.bytes()); !done)
    log_->warn("the checkpoint of the controller's ledger is not kept: {}",
               done.error().sentence());
}

Message<schema::Hello> Servant::hello(const Party& peer, const schema::Attach::Reader& attach) {
  Draft<schema::Hello> hello;
  hello->setChallenge(attach.getChallenge());
  hello->setNonce(blob(nonce_));
  hello->setName(self_.name);
  hello->setMachineId(self_.machine_id);
  hello->setBootId(self_.boot_id);
  hello->setVersion(std::string(version));
  hello->setRole(self_.role.name());
  const auto kinds = self_.role.kinds();
  auto names = hello->initKinds(static_cast<unsigned>(kinds.size()));
  for (unsigned at = 0; at < names.size(); ++at) names.set(at, kinds[at]);
  self_.role.tell(*hello);
  hello->setTime(unix_millis(now_.wall));
  hello->setUptime(static_cast<std::uint64_t>(now_.steady.time_since_epoch().count()));
  auto tasks = hello->initTasks(static_cast<unsigned>(core_.held().size()));
  unsigned i = 0;
  for (const auto& [id, task] : core_.held()) {
    tasks[i].setTask(blob(id.bytes));
    tasks[i++].setState(wire_state(task.state));
  }
  hello->setJournal(blob(journal_.identity()));
  if (const auto kept = journal_.checkpoint(peer.sign_key)) hello->setCheckpoint(blob(*kept));
  hello->setFreeBytes(journal_.room().value_or(0));
  return std::move(hello).finish();
}

Terms Servant::terms() const {
  return {.lab = self_.trust.lab(),
          .name = self_.name,
          .machine_id = self_.machine_id,
          .keys = self_.keys,
          .nonce = nonce_,
          .role = self_.role,
          .now = now_.wall,
          .known =
              [this](ByteView task) {
                const auto id = TaskId::from(task);
                const auto row =
                    id ? journal_.find(*id)
                       : Result<std::optional<JournalRow>>(std::optional<JournalRow>());
                return row && row->has_value();
              },
          .pinned = [this](const auto& key) { return self_.trust.by_sign_key(key) != nullptr; },
          .newest_report =
              [this](std::string_view arm, std::string_view resource) {
                return journal_.newest_report(arm, resource);
              }};
}

void Servant::take_order(const Opened& opened) {
  auto verdict = check_order(opened, terms());
  if (const auto* denial = std::get_if<Denial>(&verdict)) {
    ++turned_.refused[denial->reason];
    log_->warn("an order was refused: {}", denial->what);
    return send(receipt({.task = denial->task_id,
                         .order_digest = denial->order_digest,
                         .refusal = denial->reason,
                         .what = denial->what}));
  }
  admission_ = std::move(std::get<Admission>(verdict));
  const auto deadline = std::chrono::seconds(admission_->order.reader().getDeadline());
  auto known = journal_.find(admission_->id);
  if (!known) {
    perform(effect::Answer{admission_->id, schema::Refusal::STORE_FAILED, schema::State::UNSET,
                           known.error().sentence()});
  } else {
    feed(event::Admitted{
        .id = admission_->id,
        .task_digest = admission_->task_digest,
        .deadline = deadline,
        .known = std::move(*known),
        .confirm_within = std::chrono::seconds(admission_->order.reader().getConfirmWithin()),
        .resource = reflect::resource_of(admission_->order.reader().getTask())});
  }
  admission_.reset();
}

void Servant::take_ack(const schema::Ack::Reader& ack) {
  const auto id = TaskId::from(view(ack.getTaskId()));
  const auto row =
      id ? journal_.find(*id) : Result<std::optional<JournalRow>>(std::optional<JournalRow>());
  if (!row || !*row || (*row)->report.empty()) return;
  if (crypto::equal(payload_digest((*row)->report), view(ack.getReportDigest())))
    feed(event::Acknowledged{*id});
}

void Servant::take_cancel(const schema::Cancel::Reader& cancel) {
  const auto id = TaskId::from(view(cancel.getTaskId()));
  if (!id || !crypto::equal(view(cancel.getNonce()), nonce_)) return;
  log_->info("task {} is to be cancelled", id->text());
  feed(event::CancelAsked{*id});
}

void Servant::take_confirm(const schema::Confirm::Reader& confirm, const std::string& route) {
  const auto id = TaskId::from(view(confirm.getTaskId()));
  if (!id || !crypto::equal(view(confirm.getNonce()), nonce_)) return;
  // That a connection from before the change still stands shows nothing of the way to a new one.
  if (const auto old = old_routes_.find(*id);
      old != old_routes_.end() && old->second.contains(route)) {
    log_->warn(
        "task {} was confirmed over a connection from before its change: that does not count",
        id->text());
    return;
  }
  log_->info("the change of task {} is confirmed", id->text());
  feed(event::Confirmed{*id});
}

void Servant::take_notice(Notice notice, const Now& now) {
  now_ = now;
  if (auto* end = std::get_if<TaskEnd>(&notice)) return take_end(std::move(*end));
  if (const auto* arming = std::get_if<TaskArming>(&notice)) return take_arming(*arming);
  if (const auto* wanted = std::get_if<TaskWant>(&notice)) return take_want(*wanted);
  take_progress(std::get<TaskProgress>(notice));
}

void Servant::take_want(const TaskWant& wanted) {
  const auto sha256 = parse_hex(wanted.want.sha256);
  RELAB_ASSERT(sha256.has_value());
  Draft<schema::Want> want;
  want->setTaskId(blob(wanted.id.bytes));
  want->setSha256(blob(*sha256));
  want->setOffset(wanted.want.offset);
  send(std::move(want).finish());
}

void Servant::take_piece(const schema::Piece::Reader& piece) {
  const auto id = TaskId::from(view(piece.getTaskId()));
  if (!id || !crypto::equal(view(piece.getNonce()), nonce_)) return;
  const auto bytes = view(piece.getBytes());
  labour_.piece(*id, {.of = {.sha256 = hex(view(piece.getSha256())), .offset = piece.getOffset()},
                      .bytes = Bytes(bytes.begin(), bytes.end()),
                      .missing = str(piece.getMissing())});
}

void Servant::take_progress(const TaskProgress& progress) {
  auto& told = told_[progress.id];
  // What a person is waited for is never held back.
  if (now_.steady - told.when < progress_interval && told.for_person == progress.for_person) return;
  told = {.when = now_.steady, .for_person = progress.for_person};
  Draft<schema::Progress> draft;
  draft->setTaskId(blob(progress.id.bytes));
  draft->setDone(progress.advance.done);
  draft->setTotal(progress.advance.total);
  draft->setUnit(progress.advance.unit);
  draft->setWhat(clean_text(progress.advance.what));
  draft->setForPerson(clean_text(progress.for_person));
  send(std::move(draft).finish());
}

void Servant::take_end(TaskEnd end) {
  const auto id = end.id;
  const event::Ended ended{
      .id = id, .unconfirmed = end.unconfirmed, .stuck = end.stuck, .why = end.failure.sentence()};
  log_->info("task {} ended: {}{}{}", id.text(), words_of(end.outcome),
             end.unconfirmed ? ", to be confirmed" : "",
             end.failure.what.empty() ? "" : ", " + end.failure.sentence());
  told_.erase(id);
  if (end.stuck)
    tell(id, "it could not be undone, and is tried again: " + end.failure.sentence());
  else
    ends_.insert_or_assign(id, std::move(end));
  feed(ended);
}

void Servant::tell(const TaskId& id, const std::string& what) {
  Draft<schema::Progress> draft;
  draft->setTaskId(blob(id.bytes));
  draft->setUnit("steps");
  draft->setWhat(clean_text(what));
  send(std::move(draft).finish());
}

void Servant::take_arming(const TaskArming& arming) {
  auto stored = journal_.arm(arming.id, arming.before, self_.boot_id);
  if (!stored)
    log_->error("task {} changes nothing: {}", arming.id.text(), stored.error().sentence());
  labour_.armed(arming.id, std::move(stored));
}

void Servant::send_frame(ByteView frame) {
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    const auto sent = outlet_.send(session->route, frame);
    const bool gone = !sent && sent.error().fault == Fault::unreachable;
    session = gone ? sessions_.erase(session) : std::next(session);
  }
}

}  // namespace relab::agent
