#pragma once

/// Cap'n Proto messages as immutable values: bytes that were checked whole once, and readers on
/// them.

#include <capnp/dynamic.h>
#include <capnp/message.h>
#include <capnp/schema.h>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace relab {

/// The most bytes that one message may have, on the wire and in a store.
inline constexpr std::size_t message_size_max = std::size_t{4} << 20U;

/// The most bytes of one task's facts: a report must fit a frame with room for its log.
inline constexpr std::size_t facts_size_max = std::size_t{3} << 20U;

/// A checked message of any type; `Message<T>` is what callers use.
class RawMessage {
 public:
  /// Copies and checks the bytes: framing, size, nesting, amplification, UTF-8, NULs, enumerants
  /// and union members that this version does not know. Fault::damaged for malformed bytes,
  /// ::unsupported for unknown members.
  static Result<RawMessage> parse(ByteView bytes, capnp::StructSchema schema);
  static Result<RawMessage> from_json(std::string_view json, capnp::StructSchema schema);
  /// Takes what a builder holds; it was made by us, so it is not checked again.
  static RawMessage from_builder(capnp::MessageBuilder& builder);

  ByteView bytes() const;
  capnp::MessageReader& message() const;
  std::string to_json(capnp::StructSchema schema) const;

 private:
  struct Parts;
  struct Release {
    void operator()(Parts* parts) const;
  };
  explicit RawMessage(std::unique_ptr<Parts, Release> parts) : parts_(std::move(parts)) {}
  std::unique_ptr<Parts, Release> parts_;
};

/// Immutable bytes of a `T` that were checked whole; readers live as long as the message.
template <typename T>
class Message {
 public:
  static Result<Message> parse(ByteView bytes) {
    RELAB_TRY(auto raw, RawMessage::parse(bytes, capnp::Schema::from<T>()));
    return Message(std::move(raw));
  }
  static Result<Message> from_json(std::string_view json) {
    RELAB_TRY(auto raw, RawMessage::from_json(json, capnp::Schema::from<T>()));
    return Message(std::move(raw));
  }
  explicit Message(RawMessage raw) : raw_(std::move(raw)) {}

  ByteView bytes() const { return raw_.bytes(); }
  typename T::Reader reader() const { return raw_.message().template getRoot<T>(); }
  /// Names as in the schema, 64-bit numbers as strings.
  std::string to_json() const { return raw_.to_json(capnp::Schema::from<T>()); }

 private:
  RawMessage raw_;
};

/// A `T` in the making: `draft->setName(...)`, then `std::move(draft).finish()`.
template <typename T>
class Draft {
 public:
  Draft()
      : builder_(std::make_unique<capnp::MallocMessageBuilder>()), root_(builder_->initRoot<T>()) {}
  /// Starts from a copy.
  explicit Draft(typename T::Reader from)
      : builder_(std::make_unique<capnp::MallocMessageBuilder>()), root_(nullptr) {
    builder_->setRoot(from);
    root_ = builder_->getRoot<T>();
  }

  typename T::Builder& operator*() { return root_; }
  typename T::Builder* operator->() { return &root_; }
  Message<T> finish() && { return Message<T>(RawMessage::from_builder(*builder_)); }

 private:
  std::unique_ptr<capnp::MallocMessageBuilder> builder_;
  typename T::Builder root_;
};

/// Whether the predicate holds for any element; Cap'n Proto's lists are no ranges of the standard
/// library.
template <typename List, typename Predicate>
bool any_in(const List& list, Predicate predicate) {
  for (const auto element : list)
    if (predicate(element)) return true;
  return false;
}

/// A text field as a string_view; it lives as long as its message.
inline std::string_view view(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline std::string str(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline ByteView view(capnp::Data::Reader data) { return {data.begin(), data.size()}; }
/// For setters; the view must live until the setter returns.
inline capnp::Data::Reader blob(ByteView bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace relab
