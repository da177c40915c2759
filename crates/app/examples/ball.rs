//! A ball that jumps to the finger, and back after a while: a whole app, and what the tests look at.

// What the macro writes has no comments.
#![allow(missing_docs)]

use slint::ComponentHandle;

slint::slint! {
    export component Ball inherits Window {
        in-out property <length> to-x: 100px;
        in-out property <length> to-y: 100px;
        out property <bool> held: touch.pressed;
        in property <bool> gliding: false;
        callback dropped(length);
        background: #FFF6E0;
        // One that comes and goes while nothing else does.
        glide := Rectangle {
            x: root.gliding ? 300px : 200px;
            y: 300px; width: 20px; height: 20px;
            background: #28C76F;
            animate x { duration: 300ms; }
        }
        Rectangle {
            x: root.to-x - 20px; y: root.to-y - 20px; width: 40px; height: 40px;
            background: touch.pressed ? #F0443A : #58B4FF;
        }
        touch := TouchArea {
            accessible-role: button;
            accessible-label: "Ball";
            accessible-action-default => { root.dropped(0px); }
            moved => { root.to-x = self.mouse-x; root.to-y = self.mouse-y; }
            clicked => { root.dropped(self.mouse-x); }
        }
    }
}

fn main() -> std::process::ExitCode {
    app::run(|app| {
        println!("screen {}x{}", app.screen().width, app.screen().height);
        app.on_close(|| println!("closed"));
        let ball = Ball::new()?;
        let weak = ball.as_weak();
        ball.on_dropped(move |x| {
            println!("dropped at {x}");
            let weak = weak.clone();
            // Work that takes a while belongs on a thread; what it finds out comes back to the window.
            std::thread::spawn(move || {
                let _ = weak.upgrade_in_event_loop(|ball| ball.set_gliding(!ball.get_gliding()));
            });
        });
        Ok(ball)
    })
}
