#include "proto/io/udp_batch.h"

#include <cerrno>
#include <cstring>

namespace sekisho::io {
namespace {

constexpr size_t kControl = CMSG_SPACE(sizeof(in6_pktinfo));
static_assert(kControl >= CMSG_SPACE(sizeof(in_pktinfo)));

struct Slot {
  sockaddr_in6 address;
  iovec vector;
  alignas(cmsghdr) uint8_t control[kControl];
};

void ReadPacketInfo(msghdr& header, UdpPath* path) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof(info));
      std::memcpy(&path->local, &info.ipi_spec_dst, sizeof(info.ipi_spec_dst));
      path->has_local = true;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof(info));
      path->local = info.ipi6_addr;
      if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) path->interface = info.ipi6_ifindex;
      path->has_local = true;
    }
  }
}

size_t WritePacketInfo(const UdpPath& path, uint8_t* control) {
  if (!path.has_local) return 0;
  std::memset(control, 0, kControl);
  auto* c = reinterpret_cast<cmsghdr*>(control);
  if (path.peer.sin6_family == AF_INET) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, &path.local, sizeof(info.ipi_spec_dst));
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(info));
    std::memcpy(CMSG_DATA(c), &info, sizeof(info));
    return CMSG_SPACE(sizeof(info));
  }
  in6_pktinfo info{};
  info.ipi6_addr = path.local;
  info.ipi6_ifindex = path.interface;
  c->cmsg_level = IPPROTO_IPV6;
  c->cmsg_type = IPV6_PKTINFO;
  c->cmsg_len = CMSG_LEN(sizeof(info));
  std::memcpy(CMSG_DATA(c), &info, sizeof(info));
  return CMSG_SPACE(sizeof(info));
}

}  // namespace

struct UdpBatch::Arrays {
  std::array<mmsghdr, kBatch> in;
  std::array<mmsghdr, kBatch> out;
  std::array<Slot, kBatch> in_slots;
  std::array<Slot, kBatch> out_slots;
  std::array<size_t, kBatch> index;  // of the datagrams that came in whole
  std::array<std::array<uint8_t, kMaxDatagram>, kBatch> buffers;
};

void UdpBatch::Free::operator()(Arrays* arrays) const { delete arrays; }

UdpBatch::UdpBatch() : arrays_(new Arrays()) {
  for (size_t i = 0; i < kBatch; ++i) {
    auto& slot = arrays_->in_slots[i];
    slot.vector = {arrays_->buffers[i].data(), kMaxDatagram};
    msghdr& in = arrays_->in[i].msg_hdr;
    in.msg_name = &slot.address;
    in.msg_iov = &slot.vector;
    in.msg_iovlen = 1;
    in.msg_control = slot.control;
    auto& out_slot = arrays_->out_slots[i];
    msghdr& out = arrays_->out[i].msg_hdr;
    out.msg_name = &out_slot.address;
    out.msg_iov = &out_slot.vector;
    out.msg_iovlen = 1;
  }
}

size_t UdpBatch::Receive(int fd) {
  for (auto& message : arrays_->in) {
    message.msg_hdr.msg_namelen = sizeof(sockaddr_in6);
    message.msg_hdr.msg_controllen = kControl;
  }
  const int n = ::recvmmsg(fd, arrays_->in.data(), kBatch, MSG_DONTWAIT, nullptr);
  received_ = 0;
  for (int i = 0; i < n; ++i) {
    if ((arrays_->in[static_cast<size_t>(i)].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      ++oversized_;
    } else {
      arrays_->index[received_++] = static_cast<size_t>(i);
    }
  }
  return received_;
}

std::span<const uint8_t> UdpBatch::bytes(size_t i) const {
  const size_t at = arrays_->index[i];
  return {arrays_->buffers[at].data(), arrays_->in[at].msg_len};
}

Endpoint UdpBatch::peer(size_t i) const {
  return Endpoint::FromSockaddr(
      reinterpret_cast<const sockaddr*>(&arrays_->in_slots[arrays_->index[i]].address));
}

UdpPath UdpBatch::path(size_t i) const {
  const size_t at = arrays_->index[i];
  UdpPath path;
  path.peer = arrays_->in_slots[at].address;
  path.peer_size = arrays_->in[at].msg_hdr.msg_namelen;
  if (arrays_->in[at].msg_hdr.msg_controllen > 0) ReadPacketInfo(arrays_->in[at].msg_hdr, &path);
  return path;
}

bool UdpBatch::Send(const UdpPath& path, std::span<const uint8_t> bytes) {
  if (queued_ == kBatch) return false;
  auto& slot = arrays_->out_slots[queued_];
  msghdr& out = arrays_->out[queued_].msg_hdr;
  slot.address = path.peer;
  slot.vector = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
  out.msg_namelen = path.peer_size;
  out.msg_controllen = WritePacketInfo(path, slot.control);
  out.msg_control = out.msg_controllen > 0 ? slot.control : nullptr;
  ++queued_;
  return true;
}

void UdpBatch::Flush(int fd) {
  size_t at = 0;
  while (at < queued_) {
    const int n = ::sendmmsg(fd, arrays_->out.data() + at, static_cast<unsigned>(queued_ - at), MSG_DONTWAIT);
    if (n > 0) {
      at += static_cast<size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    // The first one cannot be sent (no route, a full queue): a client that asks again is better served than
    // one that makes everybody wait.
    ++send_failures_;
    ++at;
  }
  queued_ = 0;
}

}  // namespace sekisho::io
