"""A random life of a cart beside the simplest model of what it must have stored in the end.

The model: every tightening that the controller still has, and that it made after the first meeting, is stored exactly
once; nothing else is stored but what the controller made; nothing is stored twice.

Left out of the model, because DIGEST D.6 says so: an ID 0 that was not pushed cannot be asked for.
"""

from host_tests.support_world import CONTROLLER, Cart, key_of, packed_time
from tools.sim.clock import Dice

PORTABLE = True

LAST_ID = 4294967295


class Life:
    """One seed; `steps` random things happen, then everything is let come to rest and the books are compared."""

    def __init__(self, seed):
        self.dice = Dice(seed)
        dice = self.dice
        self.first_id = (1, 1, 5000, LAST_ID - 12, LAST_ID - 3)[dice.randrange(5)]
        self.cart = Cart(
            seed=seed,
            controller={
                "window": 1 + dice.randrange(3),
                "push_last_result": dice.randrange(3) == 0,
                "max_clients": 9,
                "memory": 100000,
                "blame_silence": False,
                "seed": seed,
            },
            settings={"recover_round": 40, "recover_retry_s": 5, "backoff_max_s": 4},
            first_id=self.first_id,
        )
        self.network = self.cart.network
        self.controller = self.cart.controller
        self.made = {}  # key -> made before the first meeting was over
        self.log = []
        self.met = False
        line = self.cart.line
        line.delay_ms = (0, 0, 5, 150)[dice.randrange(4)]
        line.random_splits = dice.randrange(2) == 0

    def produce(self, count):
        for _ in range(count):
            number = self.controller.produce()
            result = self.controller.result(number)
            key = (number, packed_time(result.time))
            self.made[key] = self.met

    def held(self):
        """Return the keys of what the controller still has."""
        controller = self.controller
        return [(number, packed_time(controller.result(number).time)) for number in controller._kept]

    def live(self, steps):
        dice = self.dice
        # A first meeting without any result, just behind the wrap, cannot be told from one at the beginning.
        self.produce((0, 0, 3, 60)[dice.randrange(4)] or (1 if self.first_id > 9999 else 0))
        if dice.randrange(2):
            self.cart.run(dice.randrange(400))
        self.cart.settle()
        self.met = True
        for _ in range(steps):
            self.step()
        self.network.up(CONTROLLER[0], CONTROLLER[1])
        self.controller.options.refuse_once = []
        # A last push shows what stands above the rest, then a new session asks for the newest once more.
        self.cart.run(20000)
        self.cart.settle()
        self.network.cut(CONTROLLER[0], CONTROLLER[1])
        self.cart.run(1000)
        self.cart.settle(900000)

    def step(self):
        what = self.dice.randrange(15)
        self.log.append(what)
        dice = self.dice
        cart = self.cart
        network = self.network
        if what < 4:
            self.produce(1 + dice.randrange(4))
            cart.run(dice.randrange(300))
        elif what < 6:
            cart.run(dice.randrange(3000))
        elif what == 6:
            network.cut(CONTROLLER[0], CONTROLLER[1])
            self.produce(dice.randrange(3))
        elif what == 7:
            network.down(CONTROLLER[0], CONTROLLER[1])
            for _ in range(dice.randrange(5)):
                self.produce(dice.randrange(20))
                cart.run(dice.randrange(2000))
            network.up(CONTROLLER[0], CONTROLLER[1])
        elif what == 8:
            network.swallow(CONTROLLER[0], CONTROLLER[1])
            self.produce(dice.randrange(4))
            cart.run(dice.randrange(40000))
            network.up(CONTROLLER[0], CONTROLLER[1])
        elif what < 11:
            cart.restart()
            self.produce(dice.randrange(3))
            cart.run(dice.randrange(2000))
        elif what == 11:
            self.forget()
        elif what == 12:
            self.controller.jump_ids(1 + dice.randrange(12))
        elif what == 13:
            self.controller.options.refuse_once.append((64, (98, 79, None, 1)[dice.randrange(4)]))
        else:
            self.reset()

    def forget(self):
        kept = self.controller._kept
        if kept:
            number = kept[self.dice.randrange(len(kept))]
            self.controller.forget(number)

    def reset(self):
        """Count anew; a controller that has counted past the highest ID known before anybody saw it hides its reset."""
        dice = self.dice
        if not 60 < self.cart.station.recovery._top() < 2000000000:
            return
        self.cart.run(2100)
        self.controller.reset_ids(1, True)
        if dice.randrange(2):
            self.network.cut(CONTROLLER[0], CONTROLLER[1])
        self.produce(1 + dice.randrange(6))
        for _ in range(dice.randrange(4)):
            if dice.randrange(2):
                self.network.cut(CONTROLLER[0], CONTROLLER[1])
            else:
                self.cart.restart()
            self.cart.run(dice.randrange(3000))
            self.produce(dice.randrange(6))
        self.cart.run(2100)
        self.cart.settle()

    def differences(self):
        """Return what is wrong in the end, as text; empty when nothing is."""
        keys = [key_of(payload) for payload in self.cart.stored()]
        wrong = []
        seen = {}
        for key in keys:
            seen[key] = seen.get(key, 0) + 1
            if key not in self.made:
                wrong.append("stored, but never made: %s" % (key,))
        for key in seen:
            if seen[key] > 1:
                wrong.append("stored %d times: %s" % (seen[key], key))
        for key in self.held():
            if self.made[key] and key not in seen and key[0] != 0:
                wrong.append("lost: %s" % (key,))
        if self.cart.app.scheduler.faults:
            wrong.append("a task raised")
        return wrong
