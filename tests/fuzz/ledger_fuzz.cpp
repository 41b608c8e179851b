// Any entries as a ledger: it opens, replays, is shown and exported, or the error names the entry.
//
// The input is a list of entries: a byte that says how one is made (the table below), two bytes for
// the size of what follows, little-endian, and that. So an entry can be any bytes, or a payload
// that one of us signed: what is behind a signature is reached, too. The first byte of all says
// whose hash is spoilt afterwards, if anybody's.

#include <cstddef>
#include <cstdint>

#include "common/crypto/identity.h"
#include "controller/ledger/export.h"
#include "controller/ledger/head.h"
#include "controller/report/history.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace relab;
using namespace relab::controller;

crypto::Keys fixed_keys(std::uint8_t seed) {
  crypto::start();
  return *crypto::Keys::from(Bytes(crypto::Keys::secret_size, seed));
}
const crypto::Keys& controller_keys() {
  static const auto keys = fixed_keys(1);
  return keys;
}
const crypto::Keys& agent_keys() {
  static const auto keys = fixed_keys(2);
  return keys;
}

/// What is in memory is as good as a file.
class Rows final : public EntryStore {
 public:
  explicit Rows(std::vector<StoredEntry> rows) : rows_(std::move(rows)) {}
  Result<std::vector<StoredEntry>> load() override { return rows_; }
  Result<void> append(const StoredEntry& /*entry*/) override { return {}; }

 private:
  std::vector<StoredEntry> rows_;
};

class Maker {
 public:
  /// The body of an entry; empty for one that cannot be made of these bytes.
  Bytes make(std::uint8_t how, ByteView bytes);
  void add(Bytes body) {
    head_ = chain(head_, body);
    rows_.push_back({.number = rows_.size() + 1,
                     .body = std::move(body),
                     .hash = Bytes(head_.begin(), head_.end())});
  }
  std::vector<StoredEntry> rows() && { return std::move(rows_); }

 private:
  using Arm = schema::Signed::Builder (schema::Entry::Builder::*)();

  static Bytes body(Draft<schema::Entry> entry) {
    const auto message = std::move(entry).finish();
    return Bytes(message.bytes().begin(), message.bytes().end());
  }
  static Bytes carry(Arm arm, ByteView envelope) {
    Draft<schema::Entry> entry;
    ((*entry).*arm)().setEnvelope(blob(envelope));
    return body(std::move(entry));
  }
  /// Whatever the payload is, as if it were a statement of that type.
  template <typename T>
  static Bytes stated(Arm arm, const crypto::Keys& keys, ByteView payload) {
    return carry(arm, sign_payload(keys, PayloadType<T>::name, payload).bytes());
  }
  static Bytes created();
  static Bytes enrolled(ByteView name);
  Bytes ordered(ByteView payload);
  /// An answer to the last order, if the payload is one at all.
  template <typename T>
  Bytes answered(Arm arm, ByteView payload, bool with_run) const;
  Bytes checkpoint() const;

  std::vector<StoredEntry> rows_;
  crypto::Digest head_{};
  Bytes task_ = Bytes(16);
  Bytes run_ = Bytes(16);
  crypto::Digest order_{};
};

Bytes Maker::created() {
  Draft<schema::Entry> entry;
  entry->initCreated().setLab("fuzz");
  entry->getCreated().setIdentity(
      blob(state_identity(controller_keys(), {.role = schema::Role::CONTROLLER, .name = "fuzz"})));
  return body(std::move(entry));
}

Bytes Maker::enrolled(ByteView name) {
  Draft<schema::Entry> entry;
  const std::string text(text_of(name.first(std::min<std::size_t>(name.size(), 8))));
  const auto clean = text.find_first_not_of("abcdef") == std::string::npos ? text : "a";
  entry->initEnrolled().setName(clean);
  entry->getEnrolled().setIdentity(blob(state_identity(
      agent_keys(),
      {.role = schema::Role::AGENT, .name = clean, .machine_id = "m", .agent_role = "host"})));
  return body(std::move(entry));
}

Bytes Maker::ordered(ByteView payload) {
  const auto given = Message<schema::Order>::parse(payload);
  if (!given)
    return stated<schema::Order>(&schema::Entry::Builder::initOrdered, controller_keys(), payload);
  Draft<schema::Order> draft(given->reader());
  draft->setAudience(blob(agent_keys().sign_key()));
  const auto order = std::move(draft).finish();
  const auto task = view(order.reader().getTaskId());
  const auto run = view(order.reader().getRun());
  task_.assign(task.begin(), task.end());
  run_.assign(run.begin(), run.end());
  order_ = crypto::digest(order.bytes());
  return stated<schema::Order>(&schema::Entry::Builder::initOrdered, controller_keys(),
                               order.bytes());
}

template <typename T>
Bytes Maker::answered(Arm arm, ByteView payload, bool with_run) const {
  const auto given = Message<T>::parse(payload);
  if (!given) return stated<T>(arm, agent_keys(), payload);
  Draft<T> draft(given->reader());
  draft->setTaskId(blob(task_));
  draft->setOrderDigest(blob(order_));
  if constexpr (std::is_same_v<T, schema::Report>)
    if (with_run) draft->setRun(blob(run_));
  return stated<T>(arm, agent_keys(), std::move(draft).finish().bytes());
}

Bytes Maker::checkpoint() const {
  Draft<schema::Checkpoint> draft;
  draft->setLab("fuzz");
  draft->setEntries(rows_.size());
  draft->setHead(blob(head_));
  return stated<schema::Checkpoint>(&schema::Entry::Builder::initCheckpoint, controller_keys(),
                                    std::move(draft).finish().bytes());
}

Bytes Maker::make(std::uint8_t how, ByteView bytes) {
  using Entry = schema::Entry::Builder;
  switch (how) {
    case 0:
      return Bytes(bytes.begin(), bytes.end());
    case 1:
      return created();
    case 2:
      return enrolled(bytes);
    case 3:
      return ordered(bytes);
    case 4:
      return answered<schema::Report>(&Entry::initReceived, bytes, true);
    case 5:
      return answered<schema::Report>(&Entry::initReceived, bytes, false);
    case 6:
      return answered<schema::Receipt>(&Entry::initRefused, bytes, true);
    case 7:
      return checkpoint();
    case 8:
      return stated<schema::Checkpoint>(&Entry::initCheckpoint, controller_keys(), bytes);
    case 9:
      return stated<schema::Approval>(&Entry::initApproved, controller_keys(), bytes);
    case 10:
      return stated<schema::Waiver>(&Entry::initWaived, controller_keys(), bytes);
    case 11:
      return carry(&Entry::initReceived, bytes);
    default:
      return {};
  }
}

/// That it says which entry it is about.
bool names_the_entry(const Error& error, std::uint64_t number) {
  const auto name = "entry " + std::to_string(number) + " of the ledger";
  const auto says = [&](const std::string& text) { return text.find(name) != std::string::npos; };
  return says(error.what) || std::any_of(error.during.begin(), error.during.end(), says);
}

/// The first that replay does not take; 0 if it takes all.
std::uint64_t first_refused(const Ledger& ledger) {
  State state;
  for (const auto& entry : ledger.entries())
    if (!state.apply(entry)) return entry.number;
  return 0;
}

void use(const Ledger& ledger, const State& state) {
  for (const auto& entry : ledger.entries()) RELAB_ASSERT(export_line(entry).ends_with('\n'));
  RELAB_ASSERT(history(ledger, state, {}).size() == ledger.entries().size());
  if (state.checkpoint().empty()) return;
  const auto line = head_line(state.checkpoint());
  RELAB_ASSERT(line.has_value());
  const HeadOwner owner{.lab = state.lab(), .key = state.controller()->sign_key};
  if (const auto head = read_head(*line, owner))
    RELAB_ASSERT(check_against(ledger, *head) && state.continues(state.checkpoint()));
}

/// What was taken for a ledger, with one hash spoilt: that is noticed, and named.
void spoil(std::vector<StoredEntry> rows, std::size_t which) {
  rows[which].hash[which % rows[which].hash.size()] ^= 1U;
  const auto ledger = Ledger::open(std::make_unique<Rows>(std::move(rows)));
  RELAB_ASSERT(!ledger && names_the_entry(ledger.error(), which + 1));
}

void open_all(const std::vector<StoredEntry>& rows) {
  const auto ledger = Ledger::open(std::make_unique<Rows>(rows));
  if (!ledger) {
    bool named = false;
    for (const auto& row : rows) named = named || names_the_entry(ledger.error(), row.number);
    RELAB_ASSERT(named);
    return;
  }
  const auto state = State::replay(*ledger);
  if (!state) RELAB_ASSERT(names_the_entry(state.error(), first_refused(*ledger)));
  if (state) use(*ledger, *state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t entries_max = 32;
  if (size == 0) return 0;
  const std::size_t spoilt = data[0];
  ByteView rest(data + 1, size - 1);
  Maker maker;
  for (std::size_t made = 0; rest.size() >= 3 && made < entries_max; ++made) {
    const auto length = std::min<std::size_t>(
        static_cast<std::size_t>(rest[1]) | (std::size_t{rest[2]} << 8U), rest.size() - 3);
    maker.add(maker.make(rest[0], rest.subspan(3, length)));
    rest = rest.subspan(3 + length);
  }
  const auto rows = std::move(maker).rows();
  open_all(rows);
  if (spoilt > 0 && spoilt <= rows.size() && Ledger::open(std::make_unique<Rows>(rows)))
    spoil(rows, spoilt - 1);
  return 0;
}
