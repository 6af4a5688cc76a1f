#!/usr/bin/env python3
"""A cable of a stated length: two TUN devices, each of whose packets comes out of the other after a delay.

  tun_relay.py NAME NAME

Each line of standard input is the delay one way from then on, in ms; the end of it ends the relay, and the devices
with it. Says `ready` once there are devices, to be moved into two network namespaces. For kernels without netem; needs
root. A packet is late by the time that this process takes to wake up, some 0.1 ms.
"""

import collections
import fcntl
import os
import select
import struct
import sys
import time

DEVICE = "/dev/net/tun"
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
LARGEST_PACKET = 65536


def open_device(name):
    device = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


class Cable:
    def __init__(self, names):
        one, other = map(open_device, names)
        self.far_end = {one: other, other: one}
        self.on_the_way = collections.deque()  # (when it arrives, where, packet)
        self.delay = 0.0

    def take(self, device):
        try:
            packet = os.read(device, LARGEST_PACKET)
        except BlockingIOError:
            return
        self.on_the_way.append((time.monotonic() + self.delay, self.far_end[device], packet))

    def hand_over(self):
        while self.on_the_way and self.on_the_way[0][0] <= time.monotonic():
            _, device, packet = self.on_the_way.popleft()
            try:
                os.write(device, packet)
            except OSError:  # an end that is not up loses it, as a cable does
                pass

    def run(self):
        while True:
            wait = max(self.on_the_way[0][0] - time.monotonic(), 0.0) if self.on_the_way else None
            ready, _, _ = select.select([0, *self.far_end], [], [], wait)
            self.hand_over()
            for device in ready:
                if device:
                    self.take(device)
                    continue
                line = os.read(0, 64).decode()
                if not line:
                    return
                self.delay = float(line.split()[-1]) / 1000
            self.hand_over()


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 64
    try:
        cable = Cable(sys.argv[1:])
        # What shares the machine must not lengthen it.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError as error:
        print(f"tun_relay.py: {DEVICE}: {error.strerror}", file=sys.stderr)
        return 77
    print("ready", flush=True)
    cable.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
