//! Does the client send what was recorded where that is ours to send, and does it understand what came?

mod pieces;
mod play;

use crate::certificates::Certificates;
use crate::recorded::traffic;
use pieces::{Piece, pieces};
use play::Theatre;

#[tokio::test]
async fn golden_calls_go_out_as_recorded_and_their_answers_are_understood() {
    let certificates = Certificates::new();
    let theatre = Theatre::open(&certificates).await;
    let (mut played, mut foreign) = (0, Vec::new());
    for recording in traffic() {
        for piece in pieces(&recording.entries) {
            let place = format!("{} {}", recording.name, piece.at());
            match &piece {
                Piece::Foreign { why, .. } => foreign.push(format!("{place}: {why}")),
                _ => {
                    theatre.play(&piece, &place).await;
                    played += piece.exchanges().len();
                }
            }
        }
    }
    println!("played {played}, left out {foreign:#?}");
    assert!(played > 0 || foreign.is_empty(), "nothing was played");
}
