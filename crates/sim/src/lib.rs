//! The outside world, simulated: a modem and the sky.
