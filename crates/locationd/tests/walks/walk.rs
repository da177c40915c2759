//! The walks. Home is 800 m south of the school; its circle has 80 m, the school's 120 m.

use super::receiver::Receiver;

pub(crate) struct Walk {
    pub(crate) name: &'static str,
    pub(crate) story: &'static str,
    pub(crate) receiver: Receiver,
}

const HELSINKI: (f64, f64) = (60.171, 24.941);
const HOME: (f64, f64) = (-800.0, 0.0);
const FOOT: f64 = 1.4;
const BIKE: f64 = 5.0;
const TRAIN: f64 = 55.6;

fn walk(
    name: &'static str,
    story: &'static str,
    from: (f64, f64),
    lead: impl FnOnce(&mut Receiver) -> &mut Receiver,
) -> Walk {
    walk_at(HELSINKI, name, story, from, lead)
}

fn walk_at(
    base: (f64, f64),
    name: &'static str,
    story: &'static str,
    from: (f64, f64),
    lead: impl FnOnce(&mut Receiver) -> &mut Receiver,
) -> Walk {
    let mut receiver = Receiver::at(base, from);
    lead(&mut receiver);
    Walk { name, story, receiver }
}

/// All of them, in the order of the golden file.
pub(crate) fn all() -> Vec<Walk> {
    let mut walks = honest();
    walks.extend(edges());
    walks.extend(odd_receivers());
    walks.extend(lies());
    walks
}

/// The child goes somewhere, and the receiver says so.
fn honest() -> Vec<Walk> {
    let to_school = |r: &mut Receiver| {
        r.go(-400.0, 60.0, FOOT).go(-100.0, 60.0, FOOT).go(0.0, 0.0, FOOT).stand(60);
    };
    vec![
        walk("on foot", "from home to school with two corners", HOME, |r| {
            to_school(r.stand(30));
            r
        }),
        walk("cold start", "no sky for two minutes, then at home, then to school", HOME, |r| {
            to_school(r.dark(120).stand(30));
            r
        }),
        walk("to school and back", "half an hour of lessons under a roof", HOME, |r| {
            to_school(r.stand(30));
            r.dark(1800).stand(20).go(-800.0, 0.0, FOOT).stand(30)
        }),
        walk("late", "still on the way at a quarter past", HOME, |r| {
            r.stand(600).go(0.0, 0.0, FOOT).stand(60)
        }),
        walk("absent", "asleep under the roof of home: the watch was not seen for minutes", HOME, |r| {
            r.stand(30).silent(1200).stand(30)
        }),
        walk("tunnel", "an underground passage from the street into the school", HOME, |r| {
            r.stand(30).go(-500.0, 0.0, FOOT).jump(0.0, 0.0).dark(420).stand(60)
        }),
        walk("silent tunnel", "the same, and the receiver sleeps on the way", HOME, |r| {
            r.stand(30).go(-500.0, 0.0, FOOT).jump(0.0, 0.0).silent(420).stand(60)
        }),
        walk(
            "through the school",
            "in and out again while the receiver sleeps: nobody can know",
            HOME,
            |r| r.stand(30).go(-300.0, 0.0, FOOT).jump(300.0, 0.0).silent(900).stand(60),
        ),
        walk("urban canyon", "fixes stray by 25 m, and say so", HOME, |r| {
            r.noise(25.0, 3.0).stand(60).go(0.0, 0.0, FOOT).stand(300)
        }),
        walk("poor fix at home", "errors of 95 m are larger than the circle of 80 m", HOME, |r| {
            r.noise(10.0, 5.0).stand(120)
        }),
        walk("bicycle", "past home's fence to school with a sharp corner", (-1500.0, 0.0), |r| {
            r.stand(20)
                .go(-950.0, 0.0, BIKE)
                .go(-950.0, 300.0, BIKE)
                .go(0.0, 300.0, BIKE)
                .go(0.0, 0.0, BIKE)
                .stand(60)
        }),
        walk("bus past the school", "60 km/h, the stop is elsewhere", (-2000.0, 50.0), |r| {
            r.stand(20).go(2000.0, 50.0, 16.7).stand(20)
        }),
        walk(
            "train past the school",
            "200 km/h: four seconds in the circle are no visit",
            (-9000.0, 0.0),
            |r| r.stand(20).go(9000.0, 0.0, TRAIN).stand(20),
        ),
        walk("train in a tunnel", "30 km without sky, then on foot into the school", (-33_000.0, 0.0), |r| {
            r.stand(20)
                .go(-30_300.0, 0.0, TRAIN)
                .jump(-300.0, 0.0)
                .dark(540)
                .stand(10)
                .go(0.0, 0.0, FOOT)
                .stand(30)
        }),
    ]
}

/// Where zones and the Earth have edges.
fn edges() -> Vec<Walk> {
    vec![
        walk("at the fence", "ten minutes of standing on it, from outside", (-300.0, 0.0), |r| {
            r.stand(20).go(-121.0, 0.0, FOOT).noise(6.0, 0.9).stand(600)
        }),
        walk(
            "pacing at the fence",
            "ten minutes in and out by 10 m, then to class, and ten minutes more",
            (-300.0, 0.0),
            |r| {
                r.stand(20);
                for _ in 0..20 {
                    r.go(-110.0, 0.0, FOOT).go(-130.0, 0.0, FOOT);
                }
                r.go(0.0, 0.0, FOOT).stand(60);
                for _ in 0..20 {
                    r.go(-110.0, 0.0, FOOT).go(-130.0, 0.0, FOOT);
                }
                r
            },
        ),
        walk("errand", "out of school and back within a minute: nothing to tell", (0.0, 0.0), |r| {
            r.stand(30).go(-160.0, 0.0, 3.0).go(0.0, 0.0, 3.0).stand(30)
        }),
        walk_at(
            (-16.8, 180.0),
            "date line",
            "a school in Fiji with 180 degrees through its yard",
            (0.0, -600.0),
            |r| r.stand(30).go(0.0, 600.0, FOOT).stand(30),
        ),
        walk_at((0.0, -0.003), "equator", "over it, and over Greenwich too", (-300.0, -300.0), |r| {
            r.stand(30).go(300.0, 300.0, FOOT).stand(30)
        }),
        walk_at(
            (89.998, 10.0),
            "pole",
            "a school 220 m from it: over the ice and back",
            (-600.0, 0.0),
            |r| r.stand(30).go(0.0, 0.0, FOOT).stand(30).go(-600.0, 0.0, FOOT).stand(30),
        ),
    ]
}

/// The child walks to school, and the receiver or its line is not as it should be.
fn odd_receivers() -> Vec<Walk> {
    vec![
        walk("week rollover", "an old receiver is 1024 weeks late: gpsd mends it", HOME, |r| {
            r.clock(-1024 * 7 * 86_400).stand(30).go(0.0, 0.0, FOOT).stand(30)
        }),
        walk("two constellations", "GPS and others, told together", HOME, |r| {
            r.talker("GN").stand(30).go(0.0, 0.0, FOOT).stand(30)
        }),
        walk("flapping", "every third second has no fix", HOME, |r| {
            r.stand(30);
            for second in 1..=270 {
                let here = -800.0 + 3.0 * f64::from(second);
                r.jump(here, 0.0);
                if second % 3 == 0 {
                    r.dark(1)
                } else {
                    r.stand(1)
                };
            }
            r.stand(30)
        }),
        walk("only GGA", "no date, so no time: nothing is believed", HOME, |r| {
            r.only(&["GGA"]).stand(30).go(0.0, 0.0, FOOT).stand(30)
        }),
        walk("only RMC", "nothing of accuracy: nothing is believed", HOME, |r| {
            r.only(&["RMC"]).stand(30).go(0.0, 0.0, FOOT).stand(30)
        }),
        walk("bad line", "garbage and broken checksums between all sentences", HOME, |r| {
            let garbage = "\u{0}\u{7f}$GPRMC,080000,A,0000.0,N,00000.0,E,0,0,231126,,,A*00\r\n$$$GPGGA,,*\r\n!AIVDM,1*0\n";
            r.garbage(garbage).stand(30).go(0.0, 0.0, FOOT).stand(30)
        }),
        walk("unplugged", "the receiver is pulled out on the way and put in at school", HOME, |r| {
            r.stand(30).go(-500.0, 0.0, FOOT).unplug().jump(0.0, 0.0).silent(600).plug().stand(60)
        }),
        walk("clock ahead", "an hour, for good: after a minute it is believed, with a mark", HOME, |r| {
            r.stand(60).clock(3600).stand(120).go(0.0, 0.0, FOOT).stand(30)
        }),
        walk("clock back", "half an hour for ten seconds, and right again", HOME, |r| {
            r.stand(60).clock(-1800).stand(10).clock(1800).stand(60)
        }),
        walk("clock stands", "one time for a minute on the way: told before counts nothing", HOME, |r| {
            r.stand(30).go(-400.0, 0.0, FOOT);
            for step in 1..=60 {
                r.clock(-1).jump(-400.0 + 1.4 * f64::from(step), 0.0).stand(1);
            }
            r.clock(60).go(0.0, 0.0, FOOT).stand(30)
        }),
        walk(
            "frozen",
            "the same digits for a quarter of an hour, while the child walks to school",
            HOME,
            |r| r.stand(30).noise(0.0, 0.9).stand(900).noise(1.5, 0.9).jump(0.0, 0.0).stand(60),
        ),
    ]
}

/// Somebody wants the watch to be where it is not.
fn lies() -> Vec<Walk> {
    let loop_of_it = |r: &mut Receiver| {
        r.rewind().go(-1500.0, 200.0, FOOT).go(-1500.0, 0.0, FOOT).go(-1300.0, 0.0, FOOT);
    };
    vec![
        walk(
            "jump home",
            "the watch is 50 km away, and for half a minute said to be at home",
            (-50_800.0, 0.0),
            |r| r.stand(60).jump(-800.0, 0.0).stand(30).jump(-50_800.0, 0.0).stand(60),
        ),
        walk(
            "jump home for good",
            "and now for ever: believed after a minute, and the line says so",
            (-50_800.0, 0.0),
            |r| r.stand(60).jump(-800.0, 0.0).stand(120),
        ),
        walk("jump out of school", "for fifty seconds: nobody left", (0.0, 0.0), |r| {
            r.stand(60).jump(-30_000.0, 0.0).stand(50).jump(0.0, 0.0).stand(60)
        }),
        walk(
            "two voices",
            "a second receiver on the line says home, every other second",
            (-30_000.0, 0.0),
            |r| {
                r.stand(30);
                for _ in 0..120 {
                    r.jump(-800.0, 0.0).stand(1).jump(-30_000.0, 0.0).stand(1);
                }
                r
            },
        ),
        walk("everywhere", "each second another place, kilometres apart", (0.0, 0.0), |r| {
            r.stand(30);
            for second in 0..120 {
                r.jump(20_000.0 * f64::from(second % 11), 15_000.0 * f64::from(second % 7)).stand(1);
            }
            r
        }),
        walk("jump in place and time", "an hour back and 50 km on, for half a minute", HOME, |r| {
            r.stand(60).clock(-3600).jump(-50_000.0, 0.0).stand(30).clock(3600).jump(-800.0, 0.0).stand(30)
        }),
        walk(
            "slow drag-off",
            "from school away at a walk: a lie nobody can tell from walking",
            (0.0, 0.0),
            |r| r.stand(60).go(-700.0, 0.0, FOOT).stand(30),
        ),
        walk("replayed", "a way recorded before, played three times", (-1300.0, 0.0), |r| {
            loop_of_it(r);
            r.jump(-1300.0, 0.0);
            loop_of_it(r);
            r.jump(-1300.0, 0.0);
            loop_of_it(r);
            r
        }),
        walk(
            "replayed morning",
            "the way to school, played again while the watch stays in class",
            HOME,
            |r| {
                r.rewind().stand(40).go(0.0, 0.0, FOOT).stand(60);
                r.jump(-800.0, 0.0).rewind().stand(40).go(0.0, 0.0, FOOT).stand(60)
            },
        ),
    ]
}
